"""Writes the tiny bundles: real BERTs, two layers of sixteen, weights from a seed.

The serving tests read them where there is no torch. `python plugin/tests/bundles/make.py [NAME...]`
exports them anew, through the exporter's own gate; their initial weights are large so that scores
spread. tiny-cut pools without the prompt, and its vectors may be cut; tiny-sparse takes the weights
of queries from a table; tiny-late fills queries up with masks and skips punctuation;
tiny-decoder-reranker is one layer of Qwen3 that reads a pair in a template.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import (
    CrossEncoder,
    MultiVectorEncoder,
    SentenceTransformer,
    SparseEncoder,
)
from sentence_transformers.base.modules import Router
from sentence_transformers.base.modules.dense import Dense
from sentence_transformers.cross_encoder.modules import LogitScore
from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from sentence_transformers.sparse_encoder.modules import SparseStaticEmbedding, SpladePooling
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertModel,
    BertTokenizer,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from bicross.runtime.ranking.samples import Sample
from onnx_export.publish import Request, export_model
from onnx_export.source.hub import find_model
from onnx_export.source.spec import Options

HERE = Path(__file__).parent
MAX_TOKENS = 64
OPTIONS: dict[str, dict[str, Any]] = {
    "tiny-bi": {},
    "tiny-cross": {},
    "tiny-cut": {"matryoshka": (8, 4)},
    "tiny-sparse": {},
    "tiny-late": {},
    "tiny-decoder-reranker": {},
}
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


ROLE = "{{ messages | selectattr('role', 'eq', '%s') | map(attribute='content') | first }}"
CHAT_TEMPLATE = f"[CLS] query: {ROLE % 'query'} passage: {ROLE % 'document'} [SEP] is it?"


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


def write_bi_encoder(folder: Path, name: str, *, seed: int, pools_prompt: bool) -> None:
    base = folder / f"{name}-base"
    BertModel(config(seed), add_pooling_layer=False).save_pretrained(base)
    write_tokenizer(base)
    transformer = Transformer(str(base))
    pooling = Pooling(16, pooling_mode="mean", include_prompt=pools_prompt)
    prompts = {"query": "query: ", "passage": "passage: "}
    SentenceTransformer(modules=[transformer, pooling, Normalize()], prompts=prompts).save(
        str(folder / name), create_model_card=False
    )


def write_cross_encoder(folder: Path) -> None:
    out = folder / "tiny-cross"
    BertForSequenceClassification(config(seed=8)).save_pretrained(out)
    write_tokenizer(out)


def write_sparse_encoder(folder: Path) -> None:
    base = folder / "tiny-sparse-base"
    masked = BertForMaskedLM(config(seed=10))
    with torch.no_grad():
        # Else half of all weights are above 0.
        head: Any = masked.get_output_embeddings()  # type: ignore[no-untyped-call]
        head.bias.sub_(1)
    masked.save_pretrained(base)
    write_tokenizer(base)
    transformer = Transformer(str(base), transformer_task="fill-mask")
    weight = 0.5 + 2 * torch.rand(len(vocabulary()), generator=torch.Generator().manual_seed(11))
    table = SparseStaticEmbedding(tokenizer=transformer.tokenizer, weight=weight, frozen=True)
    router = Router.for_query_document([table], [transformer, SpladePooling("max")])
    SparseEncoder(modules=[router], device="cpu").save_pretrained(
        str(folder / "tiny-sparse"), create_model_card=False
    )


def write_late_interaction(folder: Path) -> None:
    base = folder / "tiny-late-base"
    BertModel(config(seed=12), add_pooling_layer=False).save_pretrained(base)
    write_tokenizer(base)
    expansion = {"strategy": "fixed", "length": 16, "attend": False}
    transformer = Transformer(str(base), query_expansion=expansion, document_length=48)
    tokens = "token_embeddings"
    projection = Dense(
        16, 12, bias=False, activation_function=torch.nn.Identity(), module_input_name=tokens
    )
    modules = [
        transformer,
        projection,
        Normalize(tokens),
        MultiVectorMask(list(".,?!'-")),
    ]
    prompts = {"query": "query: ", "document": "passage: "}
    MultiVectorEncoder(modules=modules, prompts=prompts, device="cpu").save_pretrained(
        str(folder / "tiny-late"), create_model_card=False
    )


def write_language_model(folder: Path) -> None:
    """A reranker that scores by two tokens after the text that a template makes of a pair."""
    base = folder / "tiny-decoder-base"
    torch.manual_seed(13)
    sizes: dict[str, Any] = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "head_dim": 8,
        "initializer_range": 0.6,
    }
    made = Qwen3Config(
        vocab_size=len(vocabulary()),
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=MAX_TOKENS,
        pad_token_id=0,
        **sizes,
    )
    Qwen3ForCausalLM(made).save_pretrained(base)
    write_tokenizer(base)
    transformer = Transformer(
        str(base),
        transformer_task="text-generation",
        processor_kwargs={"chat_template": CHAT_TEMPLATE},
    )
    scoring = LogitScore(*transformer.tokenizer.convert_tokens_to_ids(["can", "not"]))
    CrossEncoder(modules=[transformer, scoring], device="cpu").save_pretrained(
        str(folder / "tiny-decoder-reranker")
    )


def main(names: list[str]) -> None:
    sample = Sample("tiny", QUERIES, PASSAGES)
    with tempfile.TemporaryDirectory() as name:
        write_bi_encoder(Path(name), "tiny-bi", seed=7, pools_prompt=True)
        write_bi_encoder(Path(name), "tiny-cut", seed=9, pools_prompt=False)
        write_cross_encoder(Path(name))
        write_sparse_encoder(Path(name))
        write_late_interaction(Path(name))
        write_language_model(Path(name))
        for model in names or list(OPTIONS):
            options = Options(name=model, **OPTIONS[model])
            folder = find_model(f"{name}/{model}", trust_remote_code=False)
            request = Request(folder, HERE / model, sample, options, force=True)
            export_model(request, lambda step: print(step, file=sys.stderr))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
