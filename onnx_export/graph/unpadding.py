"""An encoder's layers on the tokens alone: padding is taken out before the first of them and put
back behind the last, and attention alone sees rows. So a batch of unequal texts costs little more
than its tokens, and the graph has the inputs and outputs that it has without this.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

# Where the layers are in transformers' own classes, by `model_type`. In these, attention is all
# that mixes tokens, and it is transformers' exchangeable one.
LAYERS = {
    "albert": "encoder",
    "bert": "encoder",
    "camembert": "encoder",
    "distilbert": "transformer",
    "electra": "encoder",
    "roberta": "encoder",
    "xlm-roberta": "encoder",
}
ATTENTION = "bicross_unpadded"


def can_skip_padding(transformer: nn.Module) -> bool:
    """Whether the layers of `transformer` can do without padding."""
    return (
        isinstance(transformer, PreTrainedModel)
        and transformer.config.model_type in LAYERS
        # Code of the model's own may do anything between its layers.
        and type(transformer).__module__.startswith("transformers.")
    )


def layers_without_padding(
    transformer: nn.Module, features: Mapping[str, Any], *, wanted: bool
) -> AbstractContextManager[None]:
    """Calls of `transformer` on `features` within compute so where it is `wanted`."""
    if wanted and isinstance(transformer, PreTrainedModel):
        return _unpadded(transformer, features["attention_mask"])
    return nullcontext()


@contextmanager
def _unpadded(transformer: PreTrainedModel, attention_mask: Tensor) -> Iterator[None]:
    places = _Places.of(attention_mask)
    layers = transformer.base_model.get_submodule(LAYERS[transformer.config.model_type])
    hooks = (
        layers.register_forward_pre_hook(places.take_out, with_kwargs=True),
        layers.register_forward_hook(places.put_back),
    )
    config = transformer.config
    usual = config._attn_implementation  # noqa: SLF001  set_attn_implementation would check it
    ALL_ATTENTION_FUNCTIONS.register(ATTENTION, places.attend)
    ALL_MASK_ATTENTION_FUNCTIONS.register(ATTENTION, ALL_MASK_ATTENTION_FUNCTIONS["eager"])
    config._attn_implementation = ATTENTION  # noqa: SLF001
    try:
        yield
    finally:
        config._attn_implementation = usual  # noqa: SLF001
        for hook in hooks:
            hook.remove()


@dataclass(frozen=True)
class _Places:
    """`tokens` [tokens] are the places of a batch's tokens among its `rows` x `columns`; `nearest`
    [rows x columns] is for each place the token there, on padding another.
    """

    tokens: Tensor
    nearest: Tensor
    rows: Any
    columns: Any

    @classmethod
    def of(cls, attention_mask: Tensor) -> "_Places":
        rows, columns = attention_mask.shape
        # A text without tokens keeps its first place: no row is without one.
        first = torch.arange(columns, device=attention_mask.device) == 0
        kept = ((attention_mask != 0) | first).reshape(-1)
        tokens = torch.nonzero(kept).squeeze(1)
        torch._check(tokens.shape[0] > 1)  # noqa: SLF001  the traced graph has any number
        return cls(tokens, kept.to(torch.int64).cumsum(0) - 1, rows, columns)

    def take_out(
        self, module: nn.Module, args: tuple[Any, ...], named: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """[rows, columns, hidden] to [1, tokens, hidden], of the layers' first argument."""
        del module
        if args:
            return (self._tokens_of(args[0]), *args[1:]), named
        return args, {**named, "hidden_states": self._tokens_of(named["hidden_states"])}

    def put_back(self, module: nn.Module, args: object, output: Any) -> Any:  # noqa: ANN401
        """[1, tokens, hidden] to [rows, columns, hidden], of the layers' output."""
        del module, args
        output.last_hidden_state = self._in_rows(output.last_hidden_state[0])
        return output

    def attend(  # noqa: PLR0913, PLR0917  transformers' own
        self,
        module: nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor,
        scaling: float,
        **unused: object,
    ) -> tuple[Tensor, None]:
        """Eager attention of [1, heads, tokens, size], row by row: [1, tokens, heads, size]."""
        del module, unused
        query, key, value = (self._heads_in_rows(each) for each in (query, key, value))
        scores = query @ key.transpose(-1, -2) * scaling + attention_mask
        return self._tokens_of((scores.softmax(-1) @ value).transpose(1, 2)), None

    def _heads_in_rows(self, values: Tensor) -> Tensor:
        """[1, heads, tokens, size] to [rows, heads, columns, size]"""
        return self._in_rows(values.transpose(1, 2).flatten(0, 1)).transpose(1, 2)

    def _in_rows(self, values: Tensor) -> Tensor:
        """[tokens, ...] to [rows, columns, ...]"""
        spread = values.index_select(0, self.nearest)
        return spread.reshape(self.rows, self.columns, *values.shape[1:])

    def _tokens_of(self, values: Tensor) -> Tensor:
        """[rows, columns, ...] to [1, tokens, ...]"""
        return values.flatten(0, 1).index_select(0, self.tokens).unsqueeze(0)
