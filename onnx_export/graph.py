"""The torch module that becomes the graph: transformer, pooling, projection, normalisation."""

import inspect
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from torch import Tensor, nn

from bicross.errors import UnsupportedArchitecture
from onnx_export.reference import Reference

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class EmbeddingGraph(nn.Module):
    """Token embeddings [batch, length, hidden], then sentence embeddings [batch, dimensions].

    The token embeddings come first, where other libraries look for them.
    """

    outputs = ("last_hidden_state", "sentence_embedding")

    def __init__(
        self, transformer: nn.Module, head: list[nn.Module], inputs: tuple[str, ...]
    ) -> None:
        super().__init__()
        self.transformer = transformer
        self.head = nn.ModuleList(head)
        self.inputs = inputs

    def forward(self, *tensors: Tensor) -> tuple[Tensor, Tensor]:
        features: dict[str, Any] = dict(zip(self.inputs, tensors, strict=True))
        tokens: Tensor = self.transformer(**features, return_dict=True).last_hidden_state
        features["token_embeddings"] = tokens
        for module in self.head:
            features = module(features)
        return tokens, features["sentence_embedding"]


class ScoreGraph(nn.Module):
    """Logits [batch, labels] of a classification head."""

    outputs = ("logits",)

    def __init__(self, transformer: nn.Module, inputs: tuple[str, ...]) -> None:
        super().__init__()
        self.transformer = transformer
        self.inputs = inputs

    def forward(self, *tensors: Tensor) -> Tensor:
        features = dict(zip(self.inputs, tensors, strict=True))
        logits: Tensor = self.transformer(**features, return_dict=True).logits
        return logits


ExportGraph = EmbeddingGraph | ScoreGraph


def build_graph(reference: Reference) -> ExportGraph:
    """The reference's own modules, sharing its weights.

    Raises `UnsupportedArchitecture` for a transformer that wants other inputs than token ids.
    """
    transformer = reference.transformer
    inputs = _inputs(transformer, reference.model.tokenizer)
    if isinstance(reference.model, SentenceTransformer):
        return EmbeddingGraph(transformer, list(reference.model.children())[1:], inputs).eval()
    return ScoreGraph(transformer, inputs).eval()


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
