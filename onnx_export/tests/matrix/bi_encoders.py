"""Rows of bi-encoders: architectures with a plain head, and heads on a plain architecture."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

from onnx_export.tests.matrix.comparing import compare_vectors
from onnx_export.tests.matrix.row import Row
from onnx_export.tests.matrix.workshop import MAX_TOKENS, Workshop

HIDDEN = 32
SMALL: dict[str, Any] = {
    "hidden_size": HIDDEN,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": MAX_TOKENS,
}
Head = Callable[[Transformer], Sequence[torch.nn.Module]]


def bert(workshop: Workshop) -> Path:
    tokenizer = workshop.vocabularies.bert
    config = transformers.BertConfig(vocab_size=len(tokenizer), **SMALL)
    return workshop.plain(
        "bert", lambda: transformers.BertModel(config, add_pooling_layer=False), tokenizer
    )


def pooled(mode: str, *, normalize: bool = True) -> Head:
    def head(transformer: Transformer) -> list[torch.nn.Module]:
        pooling = Pooling(transformer.get_embedding_dimension(), pooling_mode=mode)
        return [pooling, Normalize()] if normalize else [pooling]

    return head


def row(base: Callable[[Workshop], Path], architecture: str, mode: str) -> Row:
    name = f"{base.__name__.replace('_', '-')}-{mode}"

    def build(workshop: Workshop) -> Path:
        return workshop.sentence_transformer(name, base(workshop), pooled(mode))

    return Row(name, architecture, f"{mode}, normalised", build, compare_vectors)


ROWS: tuple[Row, ...] = (row(bert, "BERT", "mean"),)
