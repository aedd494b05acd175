"""Texts to token weights as one module: a masked language model's, or a table's."""

import torch
from sentence_transformers.sparse_encoder.modules import SparseStaticEmbedding, SpladePooling
from torch import Tensor, nn


class SparseGraph(nn.Module):
    """Weights [batch, vocabulary], none below 0 (Formal et al. 2021, SPLADE).

    The largest logit is found before the logarithms are taken: these never decrease, so that only
    the logits themselves are as large as [batch, length, vocabulary].
    """

    outputs = ("sparse_embedding",)

    def __init__(
        self, transformer: nn.Module, pooling: SpladePooling, inputs: tuple[str, ...]
    ) -> None:
        super().__init__()
        self.transformer = transformer
        self.takes_largest = pooling.pooling_strategy == "max"
        self.logarithms = 2 if pooling.activation_function == "log1p_relu" else 1
        self.inputs = inputs

    def forward(self, *tensors: Tensor) -> Tensor:
        features = dict(zip(self.inputs, tensors, strict=True))
        logits: Tensor = self.transformer(**features, return_dict=True).logits
        logits = logits * features["attention_mask"].unsqueeze(-1).to(logits.dtype)
        if self.takes_largest:
            return self._weights(logits.amax(dim=1))
        return self._weights(logits).sum(dim=1)

    def _weights(self, logits: Tensor) -> Tensor:
        weights = logits.relu()
        for _ in range(self.logarithms):
            weights = weights.log1p()
        return weights


class TokenTableGraph(nn.Module):
    """The weight of each token that a text has, [batch, vocabulary]: no model is run.

    A padding token is only counted where the text holds it.
    """

    outputs = ("sparse_embedding",)
    inputs = ("input_ids", "attention_mask")

    def __init__(self, table: SparseStaticEmbedding) -> None:
        super().__init__()
        self.transformer = table

    def forward(self, *tensors: Tensor) -> Tensor:
        ids, mask = tensors
        weight = self.transformer.weight
        absent = torch.zeros(ids.shape[0], weight.shape[0], dtype=weight.dtype)
        present = absent.scatter_reduce(1, ids, mask.to(weight.dtype), "amax")
        return present * weight
