"""Who asks for too much, in a process of its own: a flood, clients that obey, and searches.

Each request holds numbers of its own, since a server may compute once what is in flight twice.
"""

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.serving.load.clients import OK, Crowd, Tally, closed_loop, open_loop
from benchmarks.serving.load.connection import Address, BadAnswer, Connection, ask

# Stands in each passage of a template and gives way to the request's number.
MARK = b"NNNNNN"
UNLOADED_CLIENTS = 4
# Each at an address of its own, as a server knows its clients by; so is the flood at many.
OBEDIENT = 16
FLOODING = 64
SEARCHES_PER_S = 10.0
SEARCH_CLIENTS = 8


@dataclass(frozen=True)
class Load:
    """Whole requests. `bulk` have `MARK` in them, and equally many passages each."""

    address: Address
    bulk: Sequence[bytes]
    searches: Sequence[bytes]

    def numbered(self) -> Iterator[bytes]:
        for number, template in enumerate(itertools.cycle(self.bulk)):
            yield template.replace(MARK, b"%06d" % number)


@dataclass
class Returns:
    """Of requests that were refused and came again as told: how many, and refused again.

    Who is not refused at once has found room, though it may wait for its answer until the end.
    `answered` are all answers to those clients.
    """

    came: int = 0
    refused: int = 0
    answered: int = 0


@dataclass
class Outcome:
    """`waiting` requests of the flood had been admitted and not answered when it ended."""

    flood: Tally = field(default_factory=Tally)
    searches: Tally = field(default_factory=Tally)
    returns: Returns = field(default_factory=Returns)
    waiting: int = 0


def unloaded_rate(load: Load, seconds: float) -> float:
    """Bulk requests a second of a few clients that wait for their answers."""
    requests = list(itertools.islice(load.numbered(), 16 * UNLOADED_CLIENTS))
    crowd = Crowd(load.address, requests, UNLOADED_CLIENTS, seconds)
    return asyncio.run(closed_loop(crowd)).rate


def overload(load: Load, rate: float, seconds: float) -> Outcome:
    """Bulk requests at `rate` a second, whatever comes back."""
    return asyncio.run(_overload(load, rate, seconds))


async def _overload(load: Load, rate: float, seconds: float) -> Outcome:
    outcome, requests = Outcome(), load.numbered()
    obedient = [
        asyncio.create_task(_obey(load.address, f"127.0.1.{number + 1}", requests, outcome.returns))
        for number in range(OBEDIENT)
    ]
    crowd = Crowd(load.address, load.searches, SEARCH_CLIENTS, seconds)
    searches = asyncio.create_task(open_loop(crowd, SEARCHES_PER_S))
    await _flood(load.address, requests, rate, seconds, outcome)
    outcome.searches = await searches
    await _end(obedient)
    return outcome


async def _flood(
    address: Address, requests: Iterator[bytes], rate: float, seconds: float, outcome: Outcome
) -> None:
    """With as many connections as there are requests in flight."""
    free = deque[Connection]()
    sending: set[asyncio.Task[None]] = set()
    begin = time.perf_counter()
    for number in range(int(seconds * rate)):
        await asyncio.sleep(max(0.0, begin + number / rate - time.perf_counter()))
        own_host = f"127.0.2.{number % FLOODING + 1}"
        sent = _send(address, own_host, free, next(requests), outcome.flood)
        task = asyncio.create_task(sent)
        sending.add(task)
        task.add_done_callback(sending.discard)
    outcome.flood.lasted_s = time.perf_counter() - begin
    outcome.waiting = len(sending)
    await _end(list(sending))
    for connection in free:
        connection.close()


async def _send(
    address: Address, own_host: str, free: deque[Connection], request: bytes, tally: Tally
) -> None:
    """On a connection that is free, or a new one from `own_host`."""
    try:
        # The one that rested longest: none rests until the server hangs up.
        connection = free.popleft() if free else await Connection.open(address, own_host)
    except OSError:
        tally.broken += 1
        return
    begin = time.perf_counter()
    try:
        answer = await connection.send(request)
    except BaseException as error:
        connection.close()
        if not isinstance(error, BadAnswer):
            raise
        tally.broken += 1
    else:
        tally.add(answer.status, time.perf_counter() - begin)
        free.append(connection)


async def _obey(
    address: Address, own_host: str, requests: Iterator[bytes], returns: Returns
) -> None:
    """One request after another; each that is refused comes again when it was told to, on another
    connection, since one may rest for longer than a server keeps it.
    """
    while True:
        request = next(requests)
        answer = await ask(address, request, own_host)
        while (told_s := answer.retry_after_s) is not None:
            await asyncio.sleep(told_s)
            returns.came += 1
            answer = await ask(address, request, own_host)
            returns.refused += answer.retry_after_s is not None
        returns.answered += answer.status == OK


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
