"""How many tokens a sequence may have, and whether the original must be cut there too."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    own = read_max_tokens(folder, config)
    if wanted is not None and own is not None and wanted > own:
        raise UsageError(f"--max-tokens {wanted}: the model takes at most {own}")
    found = wanted or own
    if found is None:
        raise UsageError(f"{folder.name} names no longest sequence; give it with --max-tokens")
    # sentence-transformers takes the positions that belong to padding for tokens' own.
    return Limit(found, wanted is not None or config.get("model_type") in OFFSET_POSITIONS)


def read_route_limit(folder: Path, route: Route, wanted: int | None) -> Limit:
    """Of what a text enters on `route`; a folder without modules is one transformer."""
    first = route.modules[0] if route.modules else None
    place = module_folder(folder, first) if first else folder
    if first is None or first.kind != STATIC:
        return read_limit(place, read_json(place, "config.json"), wanted)
    cut = read_json(place, "tokenizer.json").get("truncation") or {}
    own = cut.get("max_length")
    if wanted is not None and own is not None and wanted > own:
        raise UsageError(f"--max-tokens {wanted}: the model's tokenizer cuts at {own}")
    return Limit(wanted or own or STATIC_TOKENS, is_cut=own is None or wanted is not None)
