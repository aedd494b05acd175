"""Changes to a model folder's files."""

import json
from pathlib import Path


def edit_json(folder: Path, name: str, **changes: object) -> None:
    """Sets keys of a JSON file, removing those set to None."""
    file = folder / name
    found = json.loads(file.read_text()) if file.exists() else {}
    kept = {key: value for key, value in (found | changes).items() if value is not None}
    file.write_text(json.dumps(kept))
