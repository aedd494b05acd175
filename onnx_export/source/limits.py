"""How many tokens a sequence may have, and whether the original must be cut there too."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bicross.bundle.record import InputType
from bicross.errors import UsageError
from onnx_export.source.embedding_head import STATIC
from onnx_export.source.model_files import (
    OFFSET_POSITIONS,
    module_folder,
    read_json,
    read_max_tokens,
)
from onnx_export.source.routes import Route

# A static embedding takes any length. A manifest states one all the same, since a request takes
# memory with its tokens: this is some 130 KB of English.
STATIC_TOKENS = 32_768


@dataclass(frozen=True)
class Limit:
    """`is_cut` says that `max_tokens` is not what sentence-transformers would keep to by itself."""

    max_tokens: int
    is_cut: bool


def read_limit(folder: Path, config: dict[str, Any], wanted: int | None) -> Limit:
    """Of the transformer in `folder`, special tokens included.

    Raises `UsageError` where `wanted` is more than the model takes, or nothing says how much it is.
    """
    return _limit(folder.name, _own_limit(folder, config), wanted)


def read_route_limits(
    folder: Path, routes: dict[InputType, Route], wanted: int | None
) -> dict[InputType, Limit]:
    """Of what a text enters on each route; one that takes less than `wanted` keeps its own limit.

    Raises `UsageError` as `read_limit` does.
    """
    own = {kind: _route_limit(folder, route) for kind, route in routes.items()}
    highest = max(own.values(), key=lambda limit: limit.max_tokens or math.inf)
    _limit(folder.name, highest, wanted)
    return {
        kind: _limit(folder.name, limit, wanted and min(wanted, limit.max_tokens or wanted))
        for kind, limit in own.items()
    }


@dataclass(frozen=True)
class _OwnLimit:
    """None where nothing says how much the model takes."""

    max_tokens: int | None
    is_cut: bool = False


def _limit(who: str, own: _OwnLimit, wanted: int | None) -> Limit:
    if wanted is not None and own.max_tokens is not None and wanted > own.max_tokens:
        raise UsageError(f"--max-tokens {wanted}: {who} takes at most {own.max_tokens}")
    found = wanted or own.max_tokens
    if found is None:
        raise UsageError(f"{who} names no longest sequence; give it with --max-tokens")
    return Limit(found, is_cut=own.is_cut or wanted is not None)


def _own_limit(folder: Path, config: dict[str, Any]) -> _OwnLimit:
    # sentence-transformers takes the positions that belong to padding for tokens' own.
    is_cut = config.get("model_type") in OFFSET_POSITIONS
    return _OwnLimit(read_max_tokens(folder, config), is_cut)


def _route_limit(folder: Path, route: Route) -> _OwnLimit:
    """A folder without modules is one transformer."""
    first = route.modules[0] if route.modules else None
    place = module_folder(folder, first) if first else folder
    if first is None or first.kind != STATIC:
        return _own_limit(place, read_json(place, "config.json"))
    cut = read_json(place, "tokenizer.json").get("truncation") or {}
    own = cut.get("max_length")
    return _OwnLimit(own) if own else _OwnLimit(STATIC_TOKENS, is_cut=True)
