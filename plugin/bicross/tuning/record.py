"""What a tuning found, kept for this machine and this bundle."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import platformdirs
from pydantic import TypeAdapter, ValidationError

from bicross.tuning.choice import Pair, Setting
from bicross.tuning.gate import Agreement
from bicross.tuning.machine import describe_machine, fingerprint


@dataclass(frozen=True)
class Row:
    """A pair at its best setting. `seconds` are of one pass over the workload, None where the
    pair was not timed; `reason` says why it may not be chosen, and is empty where it may.
    """

    pair: Pair
    setting: Setting
    tokens_per_s: float | None = None
    seconds: float | None = None
    agreement: Agreement | None = None
    reason: str = ""


@dataclass(frozen=True)
class Tuning:
    """`baseline` is the tokens per second of what is served without tuning, onnxruntime and
    fp32 where they pass.
    """

    model: str
    digest: str
    sample: str
    rows: list[Row]
    chosen: Row
    baseline: float
    machine: dict[str, str] = field(default_factory=describe_machine)

    def setting_of(self, pair: Pair) -> Setting | None:
        """That of a pair which was timed."""
        timed = [row.setting for row in self.rows if row.pair == pair and row.seconds is not None]
        return timed[0] if timed else None


_JSON = TypeAdapter(Tuning)


def cache_file(digest: str, machine: dict[str, str] | None = None) -> Path:
    """Of this machine, as it is now, and the bundle with that digest."""
    folder = platformdirs.user_cache_path("bicross") / "tuning"
    return folder / f"{fingerprint(machine or describe_machine())[:16]}-{digest[:32]}.json"


def load(file: Path, digest: str) -> Tuning | None:
    """None where nothing is there that can be read, as after an update of bicross."""
    try:
        found = _JSON.validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None
    return found if found.digest == digest else None


def save(file: Path, tuning: Tuning) -> None:
    """Whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.new")
    draft.write_text(json.dumps(asdict(tuning), indent=1), encoding="utf-8")
    draft.replace(file)


def sample_key(origin: str, texts: tuple[str, ...]) -> str:
    """By which a sample is known again: its name and the sha256 of its texts."""
    return f"{origin}@{hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:16]}"
