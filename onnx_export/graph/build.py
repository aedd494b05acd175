"""An original to the module that is traced, and the tensors to trace it with."""

import inspect
from typing import Any

import torch
from sentence_transformers.base.modules import Transformer
from sentence_transformers.sentence_transformer.modules import Pooling, StaticEmbedding
from sentence_transformers.sparse_encoder.modules import SparseStaticEmbedding, SpladePooling
from torch import Tensor, nn

from bicross.bundle.heads import Embedding
from bicross.bundle.record import InputType
from bicross.errors import UnsupportedArchitecture
from onnx_export.graph.embedding import (
    PROMPT_MASK,
    Cut,
    EmbeddingGraph,
    StaticGraph,
    TextPooling,
)
from onnx_export.graph.late_interaction import TokenVectorsGraph
from onnx_export.graph.rerank import ScoreGraph, score_graph
from onnx_export.graph.sparse import SparseGraph, TokenTableGraph
from onnx_export.graph.unpadding import can_skip_padding
from onnx_export.reference.embedding import EmbeddingReference
from onnx_export.reference.late_interaction import LateInteractionReference
from onnx_export.reference.loading import Reference
from onnx_export.reference.sparse import SparseReference

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
ExportGraph = (
    EmbeddingGraph | StaticGraph | SparseGraph | TokenTableGraph | TokenVectorsGraph | ScoreGraph
)


def build_graph(reference: Reference) -> ExportGraph:
    """Of passages, or of pairs: the reference's own modules, sharing its weights.

    Raises `UnsupportedArchitecture` for a transformer that wants other inputs than token ids.
    """
    if isinstance(reference, EmbeddingReference):
        return _embedding_graph(reference, "passage")
    if isinstance(reference, SparseReference):
        return _sparse_graph(reference, "passage")
    inputs = _inputs(reference.transformer, reference.model.tokenizer)
    if isinstance(reference, LateInteractionReference):
        return TokenVectorsGraph(reference.transformer, reference.head_modules, inputs).eval()
    skips_padding = _skips_padding(reference, reference.transformer)
    return score_graph(reference.model, inputs, skips_padding=skips_padding).eval()


def build_query_graph(reference: Reference) -> ExportGraph | None:
    """Of queries, where they go through other modules than passages."""
    if not isinstance(reference, EmbeddingReference | SparseReference):
        return None
    if reference.modules("query") == reference.modules("passage"):
        return None
    if isinstance(reference, SparseReference):
        return _sparse_graph(reference, "query")
    return _embedding_graph(reference, "query")


def served_output(graph: ExportGraph) -> str:
    """The output that is the model's own; others are there for other libraries."""
    return graph.outputs[0] if isinstance(graph, TokenVectorsGraph) else graph.outputs[-1]


def takes_padding_out(graph: ExportGraph) -> bool:
    return isinstance(graph, EmbeddingGraph | ScoreGraph) and graph.skips_padding


def _sparse_graph(reference: SparseReference, input_type: InputType) -> ExportGraph:
    first, *rest = reference.modules(input_type)
    if isinstance(first, SparseStaticEmbedding):
        return TokenTableGraph(first).eval()
    entry, pooling = reference.entry(input_type), rest[0]
    if not isinstance(entry, Transformer) or not isinstance(pooling, SpladePooling):
        raise TypeError(reference.spec.name)
    inputs = _inputs(entry.model, entry.tokenizer)
    return SparseGraph(entry.model, pooling, inputs).eval()


def _embedding_graph(reference: EmbeddingReference, input_type: InputType) -> ExportGraph:
    first, head = reference.entry(input_type), reference.modules(input_type)[1:]
    if reference.spec.cut.dimensions is not None and isinstance(reference.spec.head, Embedding):
        wanted = reference.spec.head
        head.append(Cut(wanted.dimensions, normalize=wanted.normalize))
    if isinstance(first, StaticEmbedding):
        return StaticGraph(first.embedding, head).eval()
    inputs = _inputs(first.model, first.tokenizer)
    if reference.spec.pools_apart:
        inputs = (*inputs, PROMPT_MASK)
        head = [TextPooling(part) if isinstance(part, Pooling) else part for part in head]
    skips_padding = _skips_padding(reference, first.model)
    return EmbeddingGraph(first.model, head, inputs, skips_padding=skips_padding).eval()


def _skips_padding(reference: Reference, transformer: nn.Module) -> bool:
    return not reference.spec.keep_padding and can_skip_padding(transformer)


def example(graph: ExportGraph) -> tuple[Tensor, ...]:
    """int64 [2, 16] per input, the second row padded; the ids are in every vocabulary."""
    ids = torch.arange(1, 33).reshape(2, 16) % 5 + 1
    mask = torch.ones_like(ids)
    mask[1, 9:] = 0
    text = mask.clone()
    text[:, :3] = 0
    tensors = {
        "input_ids": ids,
        "attention_mask": mask,
        "token_type_ids": torch.zeros_like(ids),
        PROMPT_MASK: text,
    }
    return tuple(tensors[name] for name in graph.inputs)


def _inputs(transformer: nn.Module, tokenizer: Any) -> tuple[str, ...]:  # noqa: ANN401
    """What the tokenizer gives and the model takes."""
    taken = inspect.signature(transformer.forward).parameters
    given = tokenizer.model_input_names
    if "input_ids" not in taken:
        raise UnsupportedArchitecture(
            f"{type(transformer).__name__} takes no token ids; only models of texts are exported"
        )
    return tuple(name for name in INPUTS if name in given and name in taken)
