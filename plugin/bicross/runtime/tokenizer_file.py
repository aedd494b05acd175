"""A tokenizer's JSON file, and the token that its rows are padded with."""

import json
from pathlib import Path
from typing import Any

import tokenizers

from bicross.bundle import Bundle
from bicross.bundle.layout import CONFIG
from bicross.errors import InvalidManifest

# The largest vocabularies in use (256,000 pieces) take some 35 MB.
MAX_TOKENIZER_BYTES = 128 << 20
MAX_ID = (1 << 31) - 1


def read_pieces(bundle: Bundle, name: str) -> tokenizers.Tokenizer:
    """Raises `InvalidManifest` for a file that is too large or no tokenizer's."""
    file = bundle.file(name)
    size = file.stat().st_size
    if size > MAX_TOKENIZER_BYTES:
        raise InvalidManifest(
            f"bundle {bundle.path.name}: {name} has {size} bytes; "
            f"at most {MAX_TOKENIZER_BYTES} are read"
        )
    try:
        return tokenizers.Tokenizer.from_file(str(file))
    except Exception as error:  # noqa: BLE001  the library raises bare Exception
        raise InvalidManifest(
            f"bundle {bundle.path.name}: {name} cannot be read: {error}"
        ) from None


def read_pad_id(bundle: Bundle, pieces: tokenizers.Tokenizer, *, own_file: bool) -> int:
    """The model's own padding token: some graphs count positions by it, so that 0 is not enough.

    config.json speaks of the model that tokenizer.json belongs to; an `own_file` may be another's.
    """
    config, padding = bundle.file(CONFIG), pieces.padding
    if own_file and padding:
        return int(padding["pad_id"])
    found = _read_config(config).get("pad_token_id") if config.is_file() else None
    if isinstance(found, int) and 0 <= found <= MAX_ID:
        return found
    return int(padding["pad_id"]) if padding else 0


def _read_config(config: Path) -> dict[str, Any]:
    try:
        found = json.loads(config.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InvalidManifest(
            f"bundle {config.parent.name}: {CONFIG} is not JSON: {error}"
        ) from None
    if not isinstance(found, dict):
        raise InvalidManifest(f"bundle {config.parent.name}: {CONFIG} is not a JSON object")
    return found
