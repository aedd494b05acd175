"""How many documents go into one bulk: fewer while the cluster says 429, then more again.

A node that cannot embed what it was given before its deadline answers 429 for all of it, after the
work was half done. Sending the same amount again would fail the same way, so the amount is halved.
"""

from threading import Lock

GROWTH_STEPS = 10


class Pace:
    """Shared by the threads of one run. `size` is between 1 and `largest`."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._size = largest
        self._lock = Lock()

    @property
    def size(self) -> int:
        return self._size

    def overloaded(self) -> None:
        with self._lock:
            self._size = max(1, self._size // 2)

    def accepted(self) -> None:
        with self._lock:
            step = max(1, self._largest // GROWTH_STEPS)
            self._size = min(self._largest, self._size + step)
