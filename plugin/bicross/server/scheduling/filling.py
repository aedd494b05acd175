"""Which sequences share one run: little padding, and the job whose turn it is first. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from bicross.runtime import run_cost
from bicross.server.scheduling.keys import Key
from bicross.server.scheduling.work import Item, Job, skips_padding

# Shorter rows are padded: at least so much of a batch's cost must be text,
MIN_FILL_RATIO = 0.9
# or no more of it padding than a run of its own would cost. MiniLM-L6 on one core takes 3.5 ms for
# 8 tokens, 8.5 for 32 and 15.0 for 64: 1.6 ms a run, and a token 0.21.
RUN_COSTS_TOKENS = 8
# So little padding is worth having the first job's own rows before others' of a nearer length.
CLOSE_FILL_RATIO = 0.97
# How many jobs behind the first are looked at, and how many sequences in all.
JOBS_SEEN = 64
SEQUENCES_SEEN = 256
# A partial job's order is kept but for so many batches' tokens.
PARTIAL_AHEAD = 4


@dataclass(frozen=True)
class Size:
    """A batch's bounds: what it may cost, in tokens with its padding, and its rows."""

    tokens: int
    rows: int


class _Filling:
    def __init__(self, anchor: Item, size: Size, *, skips_padding: bool) -> None:
        self.items: dict[Key, Item] = {anchor.key: anchor}
        self._target = anchor.length
        self._size = size
        self._skips_padding = skips_padding
        self._longest = self._text = anchor.length

    def fill(self, candidates: Iterable[Item], ratio: float) -> None:
        """From the nearest in length to the anchor, while at least `ratio` of it is text."""
        for item in sorted(candidates, key=lambda item: abs(item.length - self._target)):
            if len(self.items) == self._size.rows:
                return
            if item.key not in self.items:
                self._take(item, ratio)

    def _take(self, item: Item, ratio: float) -> None:
        length = item.length
        longest = max(self._longest, length)
        text = self._text + length
        rows = len(self.items) + 1
        cost = run_cost(text, rows, longest, skips_padding=self._skips_padding)
        pays = text >= ratio * cost or cost - text <= RUN_COSTS_TOKENS
        if cost <= self._size.tokens and pays:
            self.items[item.key] = item
            self._longest, self._text = longest, text


def fill_batch(jobs: Iterable[Job], size: Size) -> list[Item]:
    """Sequences of `jobs`, who stand in order and all have some, longest first; none is removed,
    and none has another's key.

    The first job's longest sequence, of a partial one the first, is in it; then its others while
    they are near in length; then those of all jobs, the nearest in length first. So the first
    job's work is done before that of those behind it, but for room that it cannot use well. The
    batch is within `size` unless it is one sequence, and `MIN_FILL_RATIO` of it is text or its
    padding costs less than another run.
    """
    seen = list(islice(jobs, JOBS_SEEN))
    first = seen[0]
    anchor = Item(first, first.waiting[-1])
    skips = skips_padding(first.order.graph)
    filling = _Filling(anchor, size, skips_padding=skips)
    most = size.rows if skips else min(size.rows, size.tokens // max(1, anchor.length))
    own = _own(first, anchor, size, most)
    filling.fill(own, CLOSE_FILL_RATIO)
    if len(filling.items) < most:
        others = (item for job in seen[1:] for item in job.nearest(anchor.length, most))
        filling.fill([*own, *islice(others, SEQUENCES_SEEN)], MIN_FILL_RATIO)
    return sorted(filling.items.values(), key=lambda item: -item.length)


def _own(first: Job, anchor: Item, size: Size, most: int) -> list[Item]:
    if not first.order.partial:
        return list(first.nearest(anchor.length, most))
    ahead, left = [], PARTIAL_AHEAD * size.tokens
    for index in reversed(first.waiting):
        left -= first.length(index)
        if left < 0:
            break
        ahead.append(Item(first, index))
    return ahead
