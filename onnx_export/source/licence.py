"""The licence under which a model's own card offers it."""

import re
from pathlib import Path

CARD = "README.md"
# The hub's identifiers: `apache-2.0`, `mit`, `other`.
LICENCE = re.compile(r"^license:\s*[\"']?([A-Za-z0-9][A-Za-z0-9.+-]{0,63})[\"']?\s*$", re.MULTILINE)
FRONT_MATTER = re.compile(r"\A---\r?\n(.*?)\r?\n---\r?\n", re.DOTALL)
MAX_CARD_BYTES = 1 << 20


def read_licence(folder: Path) -> str | None:
    """What the front matter of README.md says; None where it does not."""
    file = folder / CARD
    if not file.is_file() or file.stat().st_size > MAX_CARD_BYTES:
        return None
    front = FRONT_MATTER.match(file.read_text(encoding="utf-8", errors="replace"))
    found = LICENCE.search(front[1]) if front else None
    return found[1].lower() if found else None
