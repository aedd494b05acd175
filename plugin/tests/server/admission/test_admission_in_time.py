"""Of what a lane holds no more goes before a request than is done by its deadline."""

import math
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from bicross.errors import Overloaded
from bicross.server.admission.admission import SURE, Admission, Place
from bicross.server.scheduling.lane import Lane
from bicross.server.telemetry.metrics import Metrics

RATE = 10.0
LIMIT = 10_000


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def admission(clock: Clock | None = None, rate: float | None = RATE) -> Admission:
    return Admission(LIMIT, 1, Metrics(), lambda _: rate, clock or Clock())


@contextmanager
def entered(
    lanes: Admission, tokens: int, deadline: float = math.inf, client: str = ""
) -> Iterator[Place]:
    """The place of a request that is of use only whole."""
    with lanes.place(Lane.SEARCH, tokens, client, deadline) as place:
        lanes.require_time(place, tokens)
        yield place


def refused(lanes: Admission, tokens: int, deadline: float, client: str = "") -> float:
    """The seconds after which a request that is refused may come back."""
    with pytest.raises(Overloaded) as caught:
        entered(lanes, tokens, deadline, client).__enter__()
    assert caught.value.retry_after_s is not None
    return caught.value.retry_after_s


def test_request_that_would_not_end_by_its_deadline_is_refused_with_a_remedy() -> None:
    lanes = admission()
    remedy = (
        "what goes before this request in the search queue, 50 tokens, takes about 5.0 s, and its "
        "deadline is in 6.0 s: .*later.*`X-Bicross-Timeout-Ms`.*another server"
    )
    with lanes.place(Lane.SEARCH, 50):
        with pytest.raises(Overloaded, match=remedy):
            entered(lanes, 50, 6.0).__enter__()
        assert lanes.held(Lane.SEARCH) == 50


@pytest.mark.parametrize(("time_s", "refusing"), [(10.0, False), (9.9, True)])
def test_request_must_end_surely_by_its_deadline(time_s: float, refusing: bool) -> None:
    """It begins after 5 s and ends after 10."""
    lanes = admission()
    with (
        lanes.place(Lane.SEARCH, 50),
        pytest.raises(Overloaded) if refusing else nullcontext(),
        entered(lanes, 50, time_s / SURE),
    ):
        assert lanes.held(Lane.SEARCH) == 100


@pytest.mark.parametrize(("rate", "held"), [(None, 90), (RATE, 0)], ids=["unknown", "empty"])
def test_no_deadline_is_too_near_for_an_unknown_rate_or_an_empty_lane(
    rate: float | None, held: int
) -> None:
    lanes = admission(rate=rate)
    with lanes.place(Lane.SEARCH, held), entered(lanes, 10, 0.001):
        assert lanes.held(Lane.SEARCH) == held + 10


def test_request_that_little_goes_before_is_not_refused_for_its_own_size() -> None:
    lanes = admission()
    with lanes.place(Lane.SEARCH, 5, "small"), entered(lanes, 1000, 2.0, "large"):
        assert lanes.held(Lane.SEARCH) == 1005


def test_deadline_that_has_passed_is_not_told_of_here() -> None:
    lanes = admission()
    with lanes.place(Lane.SEARCH, 50), entered(lanes, 10, 0.0):
        assert lanes.held(Lane.SEARCH) == 60


def test_flood_of_one_client_refuses_no_small_request_of_another() -> None:
    lanes = admission()
    with ExitStack() as places:
        for _ in range(50):
            places.enter_context(lanes.place(Lane.SEARCH, 100, "flood"))
        places.enter_context(entered(lanes, 2, 1.0, "small"))
        assert refused(lanes, 100, 60.0, "flood") > 0


def test_promises_to_a_flood_refuse_no_small_request_of_another() -> None:
    lanes = admission()
    with ExitStack() as places:
        for _ in range(4):
            places.enter_context(lanes.place(Lane.SEARCH, 100, "flood"))
        for _ in range(5):
            refused(lanes, 100, 45.0, "flood")
        places.enter_context(entered(lanes, 2, 1.0, "small"))


def test_retry_after_is_when_the_wait_fits_the_deadline() -> None:
    """80 tokens are done by then, of those before it, of the largest place, and its own."""
    lanes = admission()
    with ExitStack() as places:
        for _ in range(10):
            places.enter_context(lanes.place(Lane.SEARCH, 10))
        assert refused(lanes, 10, 8.0 / SURE) == (100 + 10 + 10 - 80) / RATE


def test_deadline_that_never_fits_is_told_when_the_lane_is_empty() -> None:
    clock = Clock()
    lanes = admission(clock)
    with lanes.place(Lane.SEARCH, 50):
        clock.now = refused(lanes, 10, 0.001)
        assert clock.now >= 50 / RATE
    with entered(lanes, 10, clock.now + 0.001):
        assert lanes.held(Lane.SEARCH) == 10


def test_newcomer_leaves_time_to_who_was_told_to_come_back() -> None:
    clock = Clock()
    lanes, time_s = admission(clock), 15.0
    with ExitStack() as rest:
        leaves = rest.enter_context(ExitStack())
        for stack in (leaves, rest, rest):
            stack.enter_context(lanes.place(Lane.SEARCH, 40))
        clock.now = refused(lanes, 40, time_s)
        leaves.close()
        assert refused(lanes, 41, clock.now + time_s) > 0
        rest.enter_context(entered(lanes, 40, clock.now + time_s))
        assert lanes.held(Lane.SEARCH) == 120


@given(st.lists(st.floats(0, 60), min_size=20, max_size=80), st.integers(5, 60))
def test_what_is_admitted_ends_by_its_deadline_and_who_waits_as_told_is_admitted(
    coming: list[float], time_s: int
) -> None:
    """Of clients with 20 tokens each, at a machine that takes 2 s for them, one after another."""
    clock, tokens, refusals = Clock(), 20, 0
    lanes, waiting = admission(clock), deque[tuple[float, ExitStack]]()
    events = [(at, client, False) for client, at in enumerate(coming)]
    heapify(events)
    while events:
        clock.now, client, told = heappop(events)
        while waiting and waiting[0][0] <= clock.now:
            waiting.popleft()[1].close()
        place = ExitStack()
        try:
            place.enter_context(entered(lanes, tokens, clock.now + time_s, str(client)))
        except Overloaded as refusal:
            refusals += 1
            assert not told, "was told to come back and found no time"
            heappush(events, (clock.now + (refusal.retry_after_s or 0), client, True))
        else:
            begins = waiting[-1][0] if waiting else clock.now
            assert begins + tokens / RATE <= clock.now + time_s, "was admitted and is late"
            waiting.append((begins + tokens / RATE, place))
    event("some refused" if refusals else "none refused")
