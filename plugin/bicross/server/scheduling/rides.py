"""Who wants the row of the same sequence: it is computed once for all of them. Pure.

Whoever waits does so in its own place. Only when the turn of one has come do the others ride on its
run: so nobody waits for a request that may be withdrawn, expire, or have a later turn.
"""

from collections.abc import Collection, Iterable

from bicross.server.scheduling.keys import Key
from bicross.server.scheduling.work import Item, Job


class Rides:
    """A sequence is among those that wait or among those that run, never both."""

    def __init__(self) -> None:
        self._waiting: dict[Key, dict[Job, None]] = {}
        self._running: dict[Key, list[Item]] = {}

    def add(self, job: Job) -> bool:
        """What of `job` runs already it rides on, and whether there is such; the rest waits."""
        running = {key for key in job.waiting_keys() if key in self._running}
        for key in running:
            self._running[key].append(job.item(key))
        job.spare(running)
        for key in job.waiting_keys():
            self._waiting.setdefault(key, {})[job] = None
        return bool(running)

    def remove(self, job: Job) -> None:
        """Nobody wants any more what waits of `job`."""
        for key in job.waiting_keys():
            waiting = self._waiting[key]
            del waiting[job]
            if not waiting:
                del self._waiting[key]

    def board(self, items: Iterable[Item]) -> list[Job]:
        """A run of `items` begins, which all wait. Those of which they are; then their riders."""
        spared: dict[Job, set[Key]] = {item.job: set() for item in items}
        for item in items:
            key = item.key
            others = [job for job in self._waiting.pop(key) if job is not item.job]
            self._running[key] = [item, *(job.item(key) for job in others)]
            for job in (item.job, *others):
                spared.setdefault(job, set()).add(key)
        for job, keys in spared.items():
            job.spare(keys)
        return list(spared)

    def aboard(self, items: Iterable[Item]) -> list[Item]:
        """`items`, whose run has begun, and what rides on it."""
        return [rider for item in items for rider in self._running[item.key]]

    def leave(self, items: Iterable[Item], late: Collection[Job]) -> list[Item]:
        """What a run of `items` computes without the `late`: where one rides, it is now its own."""
        kept = []
        for item in items:
            riders = [rider for rider in self._running.pop(item.key) if rider.job not in late]
            if riders:
                self._running[item.key] = riders
                kept.append(riders[0])
        return kept

    def land(self, item: Item) -> list[Item]:
        """The run of `item` has ended: `item` and what rode on it. It alone where it ran again,
        by itself.
        """
        riders = self._running.get(item.key, [])
        if item not in riders:
            return [item]
        del self._running[item.key]
        return riders
