"""Transformer, pooling, projection and normalisation as one module."""

import inspect
from typing import Any

import torch
from sentence_transformers.sentence_transformer.modules import Pooling
from torch import Tensor, nn
from torch.nn import functional

from onnx_export.graph.unpadding import layers_without_padding

PROMPT_MASK = "pooling_mask"


class EmbeddingGraph(nn.Module):
    """Token embeddings [batch, length, hidden], then sentence embeddings [batch, dimensions].

    The token embeddings come first, where other libraries look for them.
    """

    outputs = ("last_hidden_state", "sentence_embedding")

    def __init__(
        self,
        transformer: nn.Module,
        head: list[nn.Module],
        inputs: tuple[str, ...],
        *,
        skips_padding: bool,
    ) -> None:
        super().__init__()
        self.transformer = transformer
        self.skips_padding = skips_padding
        self.head = nn.ModuleList(head)
        self.inputs = inputs
        # A decoder would build a cache of keys and values that nobody reads.
        takes_cache = "use_cache" in inspect.signature(transformer.forward).parameters
        self.arguments = {"use_cache": False} if takes_cache else {}

    def forward(self, *tensors: Tensor) -> tuple[Tensor, Tensor]:
        features: dict[str, Any] = dict(zip(self.inputs, tensors, strict=True))
        taken = {name: value for name, value in features.items() if name != PROMPT_MASK}
        with layers_without_padding(self.transformer, features, wanted=self.skips_padding):
            tokens: Tensor = self.transformer(
                **taken, **self.arguments, return_dict=True
            ).last_hidden_state
        features["token_embeddings"] = tokens
        for module in self.head:
            features = module(features)
        return tokens, features["sentence_embedding"]


class StaticGraph(nn.Module):
    """Sentence embeddings [batch, dimensions] of tokens that have one vector each, whatever stands
    around them: the mean of the rows, 0 for a text without tokens.
    """

    outputs = ("sentence_embedding",)
    inputs = ("input_ids", "attention_mask")

    def __init__(self, rows: nn.EmbeddingBag, head: list[nn.Module]) -> None:
        super().__init__()
        self.transformer = rows
        self.head = nn.ModuleList(head)

    def forward(self, *tensors: Tensor) -> tuple[Tensor]:
        input_ids, attention_mask = tensors
        mask = attention_mask.unsqueeze(-1).float()
        rows = functional.embedding(input_ids, self.transformer.weight) * mask
        mean = rows.sum(dim=1) / mask.sum(dim=1).clamp(min=1)
        features: dict[str, Any] = {"sentence_embedding": mean}
        for module in self.head:
            features = module(features)
        return (features["sentence_embedding"],)


class TextPooling(nn.Module):
    """Pooling without the prompt's tokens, on which `pooling_mask` is 0 as it is on padding.

    sentence-transformers counts them from the row's start; the graph is told.
    """

    def __init__(self, pooling: Pooling) -> None:
        super().__init__()
        modes = pooling.pooling_mode
        self.modes = (modes,) if isinstance(modes, str) else tuple(modes)
        self.poolings = nn.ModuleDict(
            {mode: Pooling(pooling.embedding_dimension, mode) for mode in self.modes}
        )

    def forward(self, features: dict[str, Any]) -> dict[str, Any]:
        parts = [
            _weighted_mean(features)
            if mode == "weightedmean"
            else self.poolings[mode]({**features, "attention_mask": features[PROMPT_MASK]})[
                "sentence_embedding"
            ]
            for mode in self.modes
        ]
        return {**features, "sentence_embedding": torch.cat(parts, dim=-1)}


def _weighted_mean(features: dict[str, Any]) -> Tensor:
    """The text's tokens keep the weights of their places in the whole row, 1 for its first."""
    places = features["attention_mask"].cumsum(dim=1) * features[PROMPT_MASK]
    weights = places.unsqueeze(-1).float()
    found: Tensor = (features["token_embeddings"] * weights).sum(dim=1) / weights.sum(dim=1).clamp(
        min=1e-9
    )
    return found


class Cut(nn.Module):
    """The first `dimensions` of each vector, of unit length again where the model's are."""

    def __init__(self, dimensions: int, *, normalize: bool) -> None:
        super().__init__()
        self.dimensions = dimensions
        self.normalize = normalize

    def forward(self, features: dict[str, Any]) -> dict[str, Any]:
        cut = features["sentence_embedding"][:, : self.dimensions]
        features["sentence_embedding"] = (
            functional.normalize(cut, dim=-1) if self.normalize else cut
        )
        return features
