"""A model's engine and precision in bicross.toml: one choice for the whole deployment."""

import tomllib
from pathlib import Path
from typing import Any

from bicross.bundle import Manifest
from bicross.errors import UsageError
from bicross.tuning.choice import BASIS, Pair


def read_pair(file: Path, manifest: Manifest) -> Pair | None:
    """What `file` says of the model, None where it says nothing or is not there.

    A missing half is onnxruntime's or fp32's. Raises `UsageError` for a file that is not TOML.
    """
    if not file.is_file():
        return None
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read: {error}; correct it or name another") from None
    table = (document.get("models") or {}).get(_entry(document, manifest), {})
    if not table.keys() & {"engine", "precision"}:
        return None
    return Pair(str(table.get("engine", BASIS[0])), str(table.get("precision", BASIS[1])))


def with_pair(text: str, manifest: Manifest, pair: Pair) -> str:
    """`text` with the pair in the model's entry, comments and order as they were.

    The entry is the one whose `model_id` names the model; where there is none it is added at the
    end. Raises `UsageError` for what is not TOML.
    """
    # Only who writes needs it: a server that reads starts without.
    import tomlkit  # noqa: PLC0415
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415

    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise UsageError(f"bicross.toml is not TOML: {error}; correct it first") from None
    name = _entry(document, manifest)
    models: Any = document.setdefault("models", tomlkit.table(is_super_table=True))
    if name not in models:
        models.add(name, tomlkit.table())
        models[name]["model_id"] = manifest.name
    models[name]["engine"] = pair.engine
    models[name]["precision"] = pair.precision
    return tomlkit.dumps(document)


def write_pair(file: Path, manifest: Manifest, pair: Pair) -> None:
    """Whole or not at all; a file that is not there is made."""
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    draft = file.with_name(f".{file.name}.new")
    draft.write_text(with_pair(text, manifest, pair), encoding="utf-8")
    draft.replace(file)


def _entry(document: Any, manifest: Manifest) -> str:  # noqa: ANN401  tomlkit's or tomllib's
    """The name of the model's table, its own name where it has none yet."""
    for name, table in (document.get("models") or {}).items():
        served, _, digest = str(table.get("model_id", "")).partition("@")
        if served == manifest.name and manifest.digest.startswith(digest):
            return str(name)
    return manifest.name
