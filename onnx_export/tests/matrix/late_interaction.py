"""Rows of late interaction."""

import json
import string
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import load_file, save_file
from sentence_transformers import MultiVectorEncoder
from sentence_transformers.base.modules import Normalize, Transformer
from sentence_transformers.base.modules.dense import Dense
from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

from onnx_export.tests.counted_pieces import word_pieces
from onnx_export.tests.matrix.comparing import compare_token_vectors
from onnx_export.tests.matrix.row import Row
from onnx_export.tests.matrix.vocabularies import BERT_SPECIALS, SIZE
from onnx_export.tests.matrix.workshop import MAX_TOKENS, SPREAD, Workshop, draw

HIDDEN = 64
UNUSED = ("[unused0]", "[unused1]")
DIMENSIONS = 48
TOKENS = "token_embeddings"
MARKERS = {"query": "[Q] ", "document": "[D] "}


def bert(workshop: Workshop) -> Path:
    tokenizer = markers()
    config = transformers.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=MAX_TOKENS,
    )
    return workshop.plain(
        "late-bert",
        lambda: transformers.BertModel(config, add_pooling_layer=False),
        tokenizer,
    )


def markers() -> transformers.PreTrainedTokenizerBase:
    """With ColBERT's markers in the vocabulary, yet cut to pieces when they stand in a text."""
    return transformers.BertTokenizer(
        vocab=word_pieces((*BERT_SPECIALS, *UNUSED), SIZE), model_max_length=MAX_TOKENS
    )


def modernbert(workshop: Workshop) -> Path:
    tokenizer = workshop.vocabularies.modernbert
    config = transformers.ModernBertConfig(
        vocab_size=len(tokenizer),
        hidden_size=HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=MAX_TOKENS,
        pad_token_id=tokenizer.pad_token_id,
        local_attention=8,
    )
    return workshop.plain(
        "late-modernbert", lambda: transformers.ModernBertModel(config), tokenizer
    )


def projection(transformer: Transformer, *, normalize: bool = True) -> list[torch.nn.Module]:
    dense = Dense(
        int(transformer.get_embedding_dimension()),
        DIMENSIONS,
        bias=False,
        activation_function=torch.nn.Identity(),
        module_input_name=TOKENS,
    )
    head: list[torch.nn.Module] = [draw(dense, SPREAD)]
    return [*head, Normalize(module_input_name=TOKENS)] if normalize else head


def saved(workshop: Workshop, name: str, modules: Sequence[torch.nn.Module], **more: Any) -> Path:
    def write(folder: Path) -> None:
        model = MultiVectorEncoder(modules=list(modules), device="cpu", **more)
        model.save_pretrained(str(folder), create_model_card=False)

    return workshop.folder(name, write)


def colbert(workshop: Workshop) -> Path:
    """As ColBERT: masks behind the query that no token sees, no vectors of punctuation."""
    transformer = Transformer(
        str(bert(workshop)),
        query_expansion={"strategy": "fixed", "length": 14, "attend": False},
        document_length=48,
    )
    modules = [transformer, *projection(transformer), MultiVectorMask(list(string.punctuation))]
    return saved(workshop, "colbert-expanded", modules, prompts=MARKERS)


def attended(workshop: Workshop) -> Path:
    """Masks that the other tokens see, only up to a width; tokens of queries skipped too."""
    transformer = Transformer(
        str(bert(workshop)),
        query_expansion={"strategy": "min", "length": 12, "attend": True},
    )
    mask = MultiVectorMask([",", "."], skiplist_tasks=["query", "document"])
    modules = [transformer, *projection(transformer, normalize=False), mask]
    return saved(workshop, "colbert-attended", modules, similarity_fn_name="meanmaxsim")


def modern(workshop: Workshop) -> Path:
    transformer = Transformer(str(modernbert(workshop)), query_length=24, document_length=60)
    mask = MultiVectorMask(list(string.punctuation))
    return saved(workshop, "colbert-modernbert", [transformer, *projection(transformer), mask])


def stanford(workshop: Workshop) -> Path:
    """The first ColBERT's layout: a projection among the weights, settings in artifact.metadata."""

    def write(folder: Path) -> None:
        base = bert(workshop)
        folder.mkdir()
        weights = {
            f"bert.{name}": value for name, value in load_file(base / "model.safetensors").items()
        }
        source = torch.Generator().manual_seed(7)
        weights["linear.weight"] = SPREAD * torch.randn(DIMENSIONS, HIDDEN, generator=source)
        save_file(weights, folder / "model.safetensors", {"format": "pt"})
        markers().save_pretrained(folder)
        config = json.loads((base / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"architectures": ["HF_ColBERT"]}))
        (folder / "artifact.metadata").write_text(
            json.dumps(
                {
                    "query_token_id": UNUSED[0],
                    "doc_token_id": UNUSED[1],
                    "query_maxlen": 14,
                    "doc_maxlen": 40,
                    "mask_punctuation": True,
                }
            )
        )

    return workshop.folder("colbert-stanford", write)


ROWS: tuple[Row, ...] = (
    Row(
        "colbert-expanded",
        "BERT",
        "ColBERT: query expansion, punctuation skipped",
        colbert,
        compare_token_vectors,
    ),
    Row(
        "colbert-attended",
        "BERT",
        "ColBERT: attended expansion to a least width, not normalised",
        attended,
        compare_token_vectors,
    ),
    Row(
        "colbert-modernbert",
        "ModernBERT",
        "ColBERT without expansion, punctuation skipped",
        modern,
        compare_token_vectors,
    ),
    Row(
        "colbert-stanford",
        "BERT",
        "ColBERT as its authors save it",
        stanford,
        compare_token_vectors,
    ),
)
