"""A small encoder with rotary positions, as repositories with code of their own have them."""

from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput, SequenceClassifierOutput

from .configuration_rotary import RotaryConfig


class RotaryLayer(nn.Module):
    def __init__(self, config: RotaryConfig) -> None:
        super().__init__()
        self.heads = config.num_attention_heads
        self.inward = nn.Linear(config.hidden_size, 3 * config.hidden_size)
        self.outward = nn.Linear(config.hidden_size, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        batch, length, width = hidden.shape
        parts = self.inward(hidden).view(batch, length, 3, self.heads, width // self.heads)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)
        scores = rotated(queries) @ rotated(keys).transpose(-1, -2) * queries.shape[-1] ** -0.5
        mixed = (scores + mask).softmax(-1) @ values
        mixed = self.outward(mixed.transpose(1, 2).reshape(batch, length, width))
        return cast("Tensor", self.norm(hidden + mixed))


class RotaryModel(PreTrainedModel):  # type: ignore[no-untyped-call]
    config_class = RotaryConfig
    base_model_prefix = "rotary"

    def __init__(self, config: RotaryConfig) -> None:
        super().__init__(config)
        self.words = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList([RotaryLayer(config) for _ in range(config.num_hidden_layers)])
        self.post_init()  # type: ignore[no-untyped-call]

    def forward(self, input_ids: Tensor, attention_mask: Tensor, **others: Any) -> BaseModelOutput:
        del others
        hidden = self.words(input_ids)
        mask = (1.0 - attention_mask[:, None, None, :].to(hidden.dtype)) * -1e9
        for layer in self.layers:
            hidden = layer(hidden, mask)
        return BaseModelOutput(last_hidden_state=hidden)


class RotaryForSequenceClassification(PreTrainedModel):  # type: ignore[no-untyped-call]
    config_class = RotaryConfig
    base_model_prefix = "rotary"

    def __init__(self, config: RotaryConfig) -> None:
        super().__init__(config)
        self.rotary = RotaryModel(config)
        self.score = nn.Linear(config.hidden_size, config.num_labels or 1)
        self.post_init()  # type: ignore[no-untyped-call]

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, **others: Any
    ) -> SequenceClassifierOutput:
        hidden = self.rotary(input_ids, attention_mask, **others).last_hidden_state
        return SequenceClassifierOutput(logits=self.score(hidden[:, 0]))


def rotated(heads: Tensor) -> Tensor:
    """Rotary positions (Su et al. 2021) on the last dimension of [batch, heads, length, size]."""
    half = heads.shape[-1] // 2
    speeds = 10_000.0 ** (-torch.arange(half, device=heads.device) / half)
    angles = torch.arange(heads.shape[-2], device=heads.device)[:, None] * speeds
    first, second = heads[..., :half], heads[..., half:]
    cosine, sine = angles.cos(), angles.sin()
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], -1)
