"""Writes tiny-bi and tiny-cross: real BERTs, two layers of sixteen, weights from a seed.

The serving tests read them where there is no torch. `python plugin/tests/bundles/make.py` writes
them anew; their initial weights are large so that scores spread.
"""

import json
from pathlib import Path

import onnx
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertForSequenceClassification, BertModel

from bicross.bundle import Bound, Bundle, Goldens, Manifest, staged_bundle
from bicross.bundle.golden import Matrix
from bicross.bundle.layout import GOLDENS, MANIFEST
from bicross.bundle.manifest import (
    Embedding,
    Graph,
    PrecisionRecord,
    Prompts,
    Rerank,
    Source,
    identity,
    identity_digest,
)
from bicross.bundle.store import file_records, file_sha256
from bicross.runtime import BiEncoder, CrossEncoder

HERE = Path(__file__).parent
MAX_TOKENS = 64
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
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


class Embedder(torch.nn.Module):
    def __init__(self, bert: BertModel) -> None:
        super().__init__()
        self.bert = bert

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        tokens = self.bert(input_ids, attention_mask, token_type_ids)[0]
        mask = attention_mask.unsqueeze(-1).to(tokens.dtype)
        mean = (tokens * mask).sum(1) / mask.sum(1)
        return tokens, torch.nn.functional.normalize(mean, dim=1)


class Scorer(torch.nn.Module):
    def __init__(self, bert: BertForSequenceClassification) -> None:
        super().__init__()
        self.bert = bert

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> torch.Tensor:
        logits: torch.Tensor = self.bert(input_ids, attention_mask, token_type_ids)[0]
        return logits


def tokenizer() -> Tokenizer:
    pieces = [*SPECIAL, *".,?!'-", *LETTERS, *(f"##{letter}" for letter in LETTERS), "##s", "##ing"]
    vocabulary = list(dict.fromkeys([*pieces, *WORDS.split()]))
    ids = {piece: index for index, piece in enumerate(vocabulary)}
    made = Tokenizer(WordPiece(ids, unk_token=SPECIAL[1], max_input_chars_per_word=100))
    made.normalizer = BertNormalizer(lowercase=True)
    made.pre_tokenizer = BertPreTokenizer()
    made.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])],
    )
    return made


def config(vocabulary: int) -> BertConfig:
    return BertConfig(
        vocab_size=vocabulary,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=MAX_TOKENS,
        initializer_range=0.6,
        num_labels=1,
        attn_implementation="eager",
    )


def write_graph(module: torch.nn.Module, outputs: list[str], file: Path) -> None:
    file.parent.mkdir()
    example = tuple(torch.ones(2, 7, dtype=torch.int64) for _ in INPUTS)
    free = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    program = torch.onnx.export(
        module.eval(),
        example,
        input_names=list(INPUTS),
        output_names=outputs,
        dynamic_shapes=tuple(free for _ in INPUTS),
        opset_version=18,
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    program.save(str(file))
    # The exporter notes where each node came from: more bytes than these weights.
    model = onnx.load(str(file))
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    del model.graph.value_info[:]
    del model.graph.metadata_props[:]
    onnx.save(model, str(file))


def write_bundle(out: Path, module: torch.nn.Module, head: Embedding | Rerank) -> None:
    with staged_bundle(out, force=True) as folder:
        tokenizer().save(str(folder / "tokenizer.json"))
        made = config(len(LETTERS))
        text = json.dumps({"model_type": made.model_type, "pad_token_id": 0}, indent=1)
        (folder / "config.json").write_text(text + "\n")
        embeds = isinstance(head, Embedding)
        outputs = ["last_hidden_state", "sentence_embedding"] if embeds else ["logits"]
        write_graph(module, outputs, folder / "onnx" / "model.onnx")
        manifest = _manifest(folder, out.name, head, outputs[-1])
        blank = Goldens(queries=QUERIES, passages=PASSAGES, bounds={})
        goldens = _goldens(Bundle(folder, manifest, blank))
        (folder / GOLDENS).write_text(goldens.to_json())
        whole = manifest.model_copy(update={"files": file_records(folder)})
        (folder / MANIFEST).write_text(whole.to_json())


def _manifest(folder: Path, name: str, head: Embedding | Rerank, output: str) -> Manifest:
    source = Source(
        model=f"random/{name}", weights_sha256=file_sha256(folder / "onnx" / "model.onnx")
    )
    files = file_records(folder)
    task = "text_embedding" if isinstance(head, Embedding) else "rerank"
    record = identity(
        task=task,
        source=source,
        tokenizer_sha256=files["tokenizer.json"].sha256,
        max_tokens=MAX_TOKENS,
        head=head,
    )
    return Manifest(
        name=name,
        digest=identity_digest(record),
        task=task,
        source=source,
        max_tokens=MAX_TOKENS,
        embedding=head if isinstance(head, Embedding) else None,
        rerank=head if isinstance(head, Rerank) else None,
        graph=Graph(inputs=INPUTS, output=output, opset=18),
        precisions={"fp32": PrecisionRecord(file="onnx/model.onnx", parity="not measured")},
        files=files,
    )


def _goldens(bundle: Bundle) -> Goldens:
    """Numbers of this machine: what torch thinks of them is the exporter's tests' business."""
    bounds = {"fp32": Bound(max_abs_diff=1e-4, min_tau=0.99)}
    if bundle.manifest.task == "rerank":
        scorer = CrossEncoder.load(bundle)
        scores = [scorer.score(query, PASSAGES).tolist() for query in QUERIES]
        return bundle.goldens.model_copy(update={"scores": Matrix.of(scores), "bounds": bounds})
    embedder = BiEncoder.load(bundle)
    found = {
        "queries_out": Matrix.of(embedder.encode(QUERIES, "query").tolist()),
        "passages_out": Matrix.of(embedder.encode(PASSAGES, "passage").tolist()),
        "bounds": bounds,
    }
    return bundle.goldens.model_copy(update=found)


def main() -> None:
    vocabulary = tokenizer().get_vocab_size()
    torch.manual_seed(7)
    write_bundle(
        HERE / "tiny-bi",
        Embedder(BertModel(config(vocabulary), add_pooling_layer=False)),
        Embedding(
            dimensions=16,
            similarity="cosine",
            pooling="mean",
            normalize=True,
            prompts=Prompts(query="query: ", passage="passage: "),
        ),
    )
    torch.manual_seed(8)
    write_bundle(
        HERE / "tiny-cross",
        Scorer(BertForSequenceClassification(config(vocabulary))),
        Rerank(labels=1, activation="sigmoid"),
    )


if __name__ == "__main__":
    main()
