"""An original to the module that is traced, and the tensors to trace it with."""

import inspect
from typing import Any

import torch
from torch import Tensor, nn

from bicross.errors import UnsupportedArchitecture
from onnx_export.graph.embedding import EmbeddingGraph
from onnx_export.graph.rerank import ScoreGraph, score_graph
from onnx_export.reference.embedding import EmbeddingReference
from onnx_export.reference.loading import Reference

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
ExportGraph = EmbeddingGraph | ScoreGraph


def build_graph(reference: Reference) -> ExportGraph:
    """The reference's own modules, sharing its weights.

    Raises `UnsupportedArchitecture` for a transformer that wants other inputs than token ids.
    """
    transformer = reference.transformer
    inputs = _inputs(transformer, reference.model.tokenizer)
    if isinstance(reference, EmbeddingReference):
        return EmbeddingGraph(transformer, list(reference.model.children())[1:], inputs).eval()
    return score_graph(reference.model, inputs).eval()


def example(graph: ExportGraph) -> tuple[Tensor, ...]:
    """int64 [2, 16] per input, the second row padded; the ids are in every vocabulary."""
    ids = torch.arange(1, 33).reshape(2, 16) % 5 + 1
    mask = torch.ones_like(ids)
    mask[1, 9:] = 0
    tensors = {"input_ids": ids, "attention_mask": mask, "token_type_ids": torch.zeros_like(ids)}
    return tuple(tensors[name] for name in graph.inputs)


def _inputs(transformer: nn.Module, tokenizer: Any) -> tuple[str, ...]:  # noqa: ANN401
    """What the tokenizer gives and the model takes."""
    taken = inspect.signature(transformer.forward).parameters
    given = tokenizer.model_input_names
    if "input_ids" not in taken:
        raise UnsupportedArchitecture(f"{type(transformer).__name__} takes no token ids")
    return tuple(name for name in INPUTS if name in given and name in taken)
