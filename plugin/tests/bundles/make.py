"""Writes tiny-bi and tiny-cross: real BERTs, two layers of sixteen, weights from a seed.

The serving tests read them where there is no torch. `python plugin/tests/bundles/make.py` exports
them anew, through the exporter's own gate; their initial weights are large so that scores spread.
"""

import sys
import tempfile
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizer

from onnx_export.gate.samples import Sample
from onnx_export.publish import Request, export_model
from onnx_export.source.hub import find_model
from onnx_export.source.spec import Options

HERE = Path(__file__).parent
MAX_TOKENS = 64
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
WORDS = (
    "the of and to in is that it was for on are as with his they at be this from have or by one "
    "had not but what all were when we there can an your which their said if do will each about "
    "how up out them then she many some so these would other into has more her two like him see "
    "time could no make than first been its who now people my made over did down only way find "
    "use water long little very after words called just where most know cat mat dog fish bird "
    "house river mountain stock price market bread sugar salt engine wheel road train city king "
    "query passage fell sat lives swims grows burns"
)
QUERIES = (
    "where does the cat sit",
    "why did stock prices fall",
    "how is bread made",
    "who was the king of the city",
    "when does the river burn",
    "which bird swims",
    "what is salt used for",
    "how long is the road over the mountain",
)
PASSAGES = (
    "the cat sat on the mat",
    "stock prices fell in the market",
    "bread is made from water, salt and sugar",
    "the king lives in a house by the river",
    "a fish swims down the river",
    "the train was called the long road",
    "people of the city use the wheel",
    "the dog is not like the cat",
    "some birds find their way over mountains",
    "an engine burns more when it is cold",
    "sugar grows in water",
    "they said that it was only words",
    "the first time we made fire, two of them sat down",
    "what all people know about salt",
    "the market in the city",
    "the mountain is where most rivers begin, and they are little there",
)


def vocabulary() -> list[str]:
    pieces = [*SPECIAL, *".,?!'-", *LETTERS, *(f"##{letter}" for letter in LETTERS), "##s", "##ing"]
    return list(dict.fromkeys([*pieces, *WORDS.split()]))


def config(seed: int) -> BertConfig:
    torch.manual_seed(seed)
    made = BertConfig(
        vocab_size=len(vocabulary()),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=MAX_TOKENS,
        initializer_range=0.6,
    )
    made.num_labels = 1
    return made


def write_tokenizer(folder: Path) -> None:
    file = folder / "vocab.txt"
    file.write_text("\n".join(vocabulary()) + "\n")
    tokenizer = BertTokenizer(vocab=str(file), model_max_length=MAX_TOKENS)
    tokenizer.save_pretrained(folder)


def write_bi_encoder(folder: Path) -> None:
    base = folder / "base"
    BertModel(config(seed=7), add_pooling_layer=False).save_pretrained(base)
    write_tokenizer(base)
    transformer = Transformer(str(base))
    modules = [transformer, Pooling(16, pooling_mode="mean"), Normalize()]
    prompts = {"query": "query: ", "passage": "passage: "}
    SentenceTransformer(modules=modules, prompts=prompts).save(
        str(folder / "tiny-bi"), create_model_card=False
    )


def write_cross_encoder(folder: Path) -> None:
    out = folder / "tiny-cross"
    BertForSequenceClassification(config(seed=8)).save_pretrained(out)
    write_tokenizer(out)


def main() -> None:
    sample = Sample("tiny", QUERIES, PASSAGES)
    with tempfile.TemporaryDirectory() as name:
        write_bi_encoder(Path(name))
        write_cross_encoder(Path(name))
        for model in ("tiny-bi", "tiny-cross"):
            options = Options(name=model)
            folder = find_model(f"{name}/{model}", trust_remote_code=False)
            request = Request(folder, HERE / model, sample, options, force=True)
            export_model(request, lambda step: print(step, file=sys.stderr))  # noqa: T201


if __name__ == "__main__":
    main()
