"""Transformer, projection and normalisation of each token as one module."""

from typing import Any

from torch import Tensor, nn


class TokenVectorsGraph(nn.Module):
    """Token vectors [batch, length, dimensions], then what the transformer gave.

    The first is called as in ColBERT's own ONNX files, where Vespa looks for it, and stands first,
    where fastembed does. The second is there for sentence-transformers, which projects by itself.
    """

    outputs = ("contextual", "last_hidden_state")

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
        return features["token_embeddings"], tokens
