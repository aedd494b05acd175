"""A cross-encoder as one module."""

from torch import Tensor, nn


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
