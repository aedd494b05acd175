"""Transformer, pooling, projection and normalisation as one module."""

from typing import Any

from torch import Tensor, nn


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
