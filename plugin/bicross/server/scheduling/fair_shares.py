"""Who is served next among those who have work: fair by what each was given. Pure: no clock."""

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

# Of those without work only so many more than of those with it are remembered.
REMEMBERED = 64


def equal_weight(key: object) -> float:
    del key
    return 1.0


class FairShares(Generic[Key]):
    """Start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996) over whoever has work.

    Each has a start tag, what it was given by its weight, and the least tag is served. Who comes
    back after a rest starts at the virtual time, so a rest earns nothing, or at its own tag where
    it went ahead. The virtual time advances as in WF2Q+ (Bennett and Zhang, SIGCOMM 1996), by the
    work done over the weights of all who wait: by the least tag alone it would stand still under
    ever new comers, who would then starve an old one.
    """

    def __init__(self, weight: Callable[[Key], float] = equal_weight) -> None:
        self._weight = weight
        self._tags: dict[Key, float] = {}
        self._ahead: dict[Key, float] = {}
        self._now = 0.0

    def __contains__(self, key: Key) -> bool:
        return key in self._tags

    def __len__(self) -> int:
        return len(self._tags)

    def tag(self, key: Key) -> float:
        """What `key`, who has work, was given so far by its weight."""
        return self._tags[key]

    def join(self, key: Key) -> None:
        """`key` has work now; nothing where it had some."""
        if key not in self._tags:
            self._tags[key] = max(self._now, self._ahead.pop(key, 0.0))

    def leave(self, key: Key) -> None:
        """`key` has no work any more."""
        tag = self._tags.pop(key)
        if tag > self._now:
            self._ahead[key] = tag
        if len(self._ahead) > REMEMBERED + len(self._tags):
            self._ahead = {k: tag for k, tag in self._ahead.items() if tag > self._now}

    def forget(self, matches: Callable[[Key], bool]) -> None:
        """Those that match and have no work will not come back."""
        self._ahead = {key: tag for key, tag in self._ahead.items() if not matches(key)}

    def in_turn(self) -> list[Key]:
        """All who have work, who was given least first; equal ones in order of coming."""
        return sorted(self._tags, key=self._tags.__getitem__)

    def least(self, keys: Iterable[Key]) -> Key | None:
        """Who was given least of `keys`, who all have work; None where there are none."""
        return min(keys, key=self._tags.__getitem__, default=None)

    def charge(self, key: Key, cost: float) -> None:
        """`key`, who has work, was given `cost`."""
        self._tags[key] += cost / self._weight(key)
        share = cost / sum(self._weight(each) for each in self._tags)
        self._now = max(self._now + share, min(self._tags.values()))
