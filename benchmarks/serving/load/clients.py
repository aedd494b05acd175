"""Clients side by side: as fast as they are answered, or at a pace of their own."""

import asyncio
import itertools
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from benchmarks.serving.load.connection import Address, BadAnswer, Connection

OK = 200


@dataclass
class Tally:
    """What came of one kind of requests. `seconds` are of the answers with status 200, in order of
    arrival; `refused` of those with another, by status.
    """

    seconds: list[float] = field(default_factory=list)
    refused: dict[int, list[float]] = field(default_factory=dict)
    broken: int = 0
    lasted_s: float = 0.0

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return len(self.seconds) / self.lasted_s if self.lasted_s else 0.0

    def add(self, status: int, seconds: float) -> None:
        times = self.seconds if status == OK else self.refused.setdefault(status, [])
        times.append(seconds)


@dataclass(frozen=True)
class Crowd:
    """`clients` that each send the next of `requests`, for `seconds`.

    With `pause_s` a refused client rests as long. What is in flight at the end is awaited, unless
    `hang_up`: a server that has work left would slow the next one that is measured.
    """

    address: Address
    requests: Sequence[bytes]
    clients: int
    seconds: float
    pause_s: float = 0.0
    hang_up: bool = False


async def closed_loop(crowd: Crowd) -> Tally:
    """Each client sends when it has been answered."""
    tally, turns = Tally(), itertools.cycle(crowd.requests)
    begin = time.perf_counter()
    until = begin + crowd.seconds
    sending = [_send_on(crowd, turns, until, tally) for _ in range(crowd.clients)]
    tasks = [asyncio.create_task(each) for each in sending]
    await asyncio.wait(tasks, timeout=crowd.seconds if crowd.hang_up else None)
    tally.lasted_s = time.perf_counter() - begin
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return tally


async def open_loop(crowd: Crowd, rate: float) -> Tally:
    """Requests leave at `rate` a second whatever comes back.

    A request that finds no free client waits, and its time counts from when it should have left.
    """
    tally, turns = Tally(), itertools.cycle(crowd.requests)
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(crowd.clients):
        free.put_nowait(await Connection.open(crowd.address))
    begin = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(int(crowd.seconds * rate)):
            due = begin + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            group.create_task(_send_due(free, next(turns), due, tally))
    tally.lasted_s = time.perf_counter() - begin
    while not free.empty():
        free.get_nowait().close()
    return tally


async def _send_on(
    crowd: Crowd, turns: "itertools.cycle[bytes]", until: float, tally: Tally
) -> None:
    connection = await Connection.open(crowd.address)
    try:
        while (begin := time.perf_counter()) < until:
            try:
                answer = await connection.send(next(turns))
            except BadAnswer:
                tally.broken += 1
                connection.close()
                connection = await Connection.open(crowd.address)
                continue
            tally.add(answer.status, time.perf_counter() - begin)
            if answer.status != OK and crowd.pause_s:
                await asyncio.sleep(crowd.pause_s)
    finally:
        connection.close()


async def _send_due(
    free: "asyncio.Queue[Connection]", request: bytes, due: float, tally: Tally
) -> None:
    connection = await free.get()
    try:
        with suppress(BadAnswer):
            answer = await connection.send(request)
            tally.add(answer.status, time.perf_counter() - due)
            return
        tally.broken += 1
    finally:
        free.put_nowait(connection)
