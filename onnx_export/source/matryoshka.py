"""Vectors cut short, as Matryoshka training allows (Kusupati et al. 2022).

Once and for all at the export, or to one of several dimensions that a request may name.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from bicross.bundle.heads import Embedding
from bicross.errors import UsageError
from onnx_export.source.model_files import read_json

MAX_CARD_BYTES = 1 << 20
# sentence-transformers writes a loss's parameters into the model card as JSON.
CARD_DIMENSIONS = re.compile(r'"matryoshka_dims"\s*:\s*(\[[\d\s,]*\])')


@dataclass(frozen=True)
class Cut:
    """`dimensions` are kept of a vector, None for all; `offered` are shorter ones still.

    What `is_asked` was given by the caller and must fit; what the model's files say may be too
    large, since it speaks of more than one export.
    """

    dimensions: int | None = None
    offered: tuple[int, ...] = ()
    is_asked: bool = False
    is_offer_asked: bool = False

    def apply(self, head: Embedding, own: int) -> Embedding:
        """`head` with its dimensions, for a model of `own`. Raises `UsageError` for longer ones."""
        if self.is_asked and self.dimensions is not None and self.dimensions > own:
            raise UsageError(f"--dimensions {self.dimensions}: the model has {own}")
        kept = min(self.dimensions or own, own)
        if self.is_offer_asked and (above := [size for size in self.offered if size >= kept]):
            raise UsageError(
                f"--matryoshka {above[0]}: must be less than the {kept} dimensions of the vectors"
            )
        offered = sorted({size for size in self.offered if size < kept}, reverse=True)
        return head.model_copy(update={"dimensions": kept, "matryoshka": tuple(offered) or None})


def read_cut(folder: Path, dimensions: int | None, offered: tuple[int, ...] | None) -> Cut:
    """What the caller asks, else what the model's configuration and card say."""
    saved = read_json(folder, "config_sentence_transformers.json").get("truncate_dim")
    saved = saved if isinstance(saved, int) and saved > 0 else None
    return Cut(
        dimensions=dimensions or saved,
        offered=_card_dimensions(folder) if offered is None else offered,
        is_asked=dimensions is not None,
        is_offer_asked=offered is not None,
    )


def read_offer(text: str) -> tuple[int, ...]:
    """`256,128` as numbers; nothing for an empty text, which offers none."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if wrong := [part for part in parts if not part.isdecimal() or int(part) == 0]:
        raise UsageError(f"--matryoshka {wrong[0]}: expected numbers of dimensions, as 256,128")
    return tuple(map(int, parts))


def _card_dimensions(folder: Path) -> tuple[int, ...]:
    """Of the first Matryoshka loss that the model card names."""
    card = folder / "README.md"
    if not card.is_file() or card.stat().st_size > MAX_CARD_BYTES:
        return ()
    found = CARD_DIMENSIONS.search(card.read_text(encoding="utf-8", errors="replace"))
    return tuple(size for size in json.loads(found[1]) if size > 0) if found else ()
