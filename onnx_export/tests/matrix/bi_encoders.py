"""Rows of bi-encoders: architectures with the head that their family has."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

from onnx_export.tests.matrix.architectures import DECODERS, ENCODERS, Architecture
from onnx_export.tests.matrix.comparing import compare_vectors
from onnx_export.tests.matrix.row import Row
from onnx_export.tests.matrix.workshop import Workshop

Head = Callable[[Transformer], Sequence[torch.nn.Module]]


def pooled(mode: str, *after: torch.nn.Module) -> Head:
    def head(transformer: Transformer) -> list[torch.nn.Module]:
        return [Pooling(transformer.get_embedding_dimension(), pooling_mode=mode), *after]

    return head


def architecture_row(architecture: Architecture, mode: str) -> Row:
    name = f"bi-{architecture.slug}"

    def build(workshop: Workshop) -> Path:
        base = architecture.build(workshop)
        return workshop.sentence_transformer(name, base, pooled(mode, Normalize()))

    return Row(name, architecture.name, f"{mode}, normalised", build, compare_vectors)


ROWS: tuple[Row, ...] = (
    *(architecture_row(architecture, "mean") for architecture in ENCODERS),
    *(architecture_row(architecture, "lasttoken") for architecture in DECODERS),
)
