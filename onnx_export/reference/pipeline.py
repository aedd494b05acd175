"""The modules that a text goes through in a loaded original."""

from collections.abc import Callable
from typing import Any, cast

import tokenizers
import transformers
from sentence_transformers.base.modules import Router, Transformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from torch import nn

from bicross.errors import UnsupportedArchitecture

Entry = Transformer | StaticEmbedding


def pipeline(model: nn.Sequential, task: str) -> list[nn.Module]:
    """`model`'s modules in order, each router replaced by the route that `task` takes."""
    return [part for module in model.children() for part in _resolved(module, task)]


def entry(modules: list[nn.Module], who: str) -> Entry:
    """The module that takes the text. Raises `UnsupportedArchitecture` for another kind."""
    first = modules[0]
    if isinstance(first, Transformer):
        way = first.modality_config.get("text") or {}
        if way.get("method") == "forward" and way.get("method_output_name") == "last_hidden_state":
            return cast("Transformer", first)
        raise UnsupportedArchitecture(
            f"{who}: {type(first.model).__name__} gives no token embeddings for a text; "
            "a Transformer whose text output is last_hidden_state is exported"
        )
    if isinstance(first, StaticEmbedding):
        return first
    raise UnsupportedArchitecture(
        f"{who}: {type(first).__name__} takes the text; "
        "a Transformer or a StaticEmbedding of sentence-transformers is exported"
    )


def width(modules: list[nn.Module]) -> int:
    """The dimensions of the vectors: those of the last module that states any."""
    for module in reversed(modules):
        stated: Callable[[], int] | None = getattr(module, "get_embedding_dimension", None)
        if stated is not None:
            return stated()
    return 0


def set_longest(taker: Entry, max_tokens: int) -> None:
    """The original cut at `max_tokens`, as the bundle will be."""
    if isinstance(taker, StaticEmbedding):
        taker.tokenizer.enable_truncation(max_tokens)
    else:
        taker.max_seq_length = max_tokens


def backend(taker: nn.Module, who: str) -> tokenizers.Tokenizer:
    """A copy of an entry's fast tokenizer, without truncation but with its padding id.

    Raises `UnsupportedArchitecture` for a slow one, and for one that cuts on the left.
    """
    tokenizer: Any = taker.tokenizer
    if isinstance(tokenizer, tokenizers.Tokenizer):
        pieces, side = tokenizer, str((tokenizer.truncation or {}).get("direction", "right"))
    else:
        if not getattr(tokenizer, "is_fast", False):
            raise UnsupportedArchitecture(
                f"{who}: {type(tokenizer).__name__} has no tokenizer.json; "
                "only fast tokenizers are exported"
            )
        pieces, side = tokenizer.backend_tokenizer, str(tokenizer.truncation_side)
    if side.lower() != "right":
        raise UnsupportedArchitecture(
            f"{who}: its tokenizer cuts long texts on the {side.lower()}; only cutting on the "
            "right is exported: set truncation_side to right and see whether the model still ranks"
        )
    copy = tokenizers.Tokenizer.from_str(pieces.to_str())
    copy.no_truncation()
    copy.no_padding()
    if not isinstance(tokenizer, tokenizers.Tokenizer) and tokenizer.pad_token_id is not None:
        copy.enable_padding(pad_id=tokenizer.pad_token_id, pad_token=str(tokenizer.pad_token))
    return copy


def tokenizer_of(transformer: Transformer) -> transformers.PreTrainedTokenizerBase:
    """Raises `UnsupportedArchitecture` where it has none, as a transformer of pictures."""
    found = transformer.tokenizer
    if found is None:
        raise UnsupportedArchitecture(f"{type(transformer.model).__name__} has no tokenizer")
    return found


def _resolved(module: nn.Module, task: str) -> list[nn.Module]:
    if not isinstance(module, Router):
        return [module]
    route = module._resolve_route(task=task, modality="text")  # noqa: SLF001  no public way
    inside = module.sub_modules[str(route)].children()
    return [part for inner in inside for part in _resolved(inner, task)]
