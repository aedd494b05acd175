"""The configuration of a model whose code travels in its own repository."""

from typing import Any

from transformers import PreTrainedConfig


class RotaryConfig(PreTrainedConfig):  # type: ignore[no-untyped-call]
    model_type = "rotary-of-its-own"

    def __init__(
        self,
        vocab_size: int = 600,
        hidden_size: int = 32,
        num_hidden_layers: int = 2,
        num_attention_heads: int = 4,
        **others: Any,
    ) -> None:
        super().__init__(**others)
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.max_position_embeddings = 64
