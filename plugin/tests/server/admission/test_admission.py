"""Lanes hold a bounded number of tokens; more is refused at once, with an honest wait."""

from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from bicross.errors import Overloaded
from bicross.server.admission.admission import Admission
from bicross.server.admission.promises import GRACE_S
from bicross.server.scheduling.lane import Lane
from bicross.server.telemetry.metrics import Metrics

RATE = 10.0


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def admission(limit: int = 100, rate: float | None = None, clock: Clock | None = None) -> Admission:
    rates = {Lane.SEARCH: rate, Lane.INGEST: rate}
    return Admission(limit, 1, Metrics(), rates.__getitem__, clock or Clock())


def refused(lanes: Admission, tokens: int, client: str = "") -> float:
    """The seconds after which a request that is refused may come back."""
    with pytest.raises(Overloaded) as caught:
        lanes.place(Lane.SEARCH, tokens, client).__enter__()
    assert caught.value.retry_after_s is not None
    return caught.value.retry_after_s


def test_place_is_held_while_the_block_runs() -> None:
    lanes = admission()
    with lanes.place(Lane.SEARCH, 60):
        assert lanes.held(Lane.SEARCH) == 60
    assert lanes.held(Lane.SEARCH) == 0


def test_place_is_given_back_when_the_block_fails() -> None:
    lanes = admission()
    with pytest.raises(RuntimeError), lanes.place(Lane.SEARCH, 60):
        raise RuntimeError
    assert lanes.held(Lane.SEARCH) == 0


def test_full_lane_refuses_naming_lane_and_limit() -> None:
    lanes = admission()
    refused = pytest.raises(Overloaded, match="the ingest queue holds 60 tokens and takes 100")
    with lanes.place(Lane.INGEST, 60), refused, lanes.place(Lane.INGEST, 41):
        pytest.fail("admitted")
    assert lanes.held(Lane.INGEST) == 0


def test_lane_takes_exactly_its_limit() -> None:
    lanes = admission()
    with lanes.place(Lane.INGEST, 60), lanes.place(Lane.INGEST, 40):
        assert lanes.held(Lane.INGEST) == 100


def test_full_ingest_does_not_refuse_a_search() -> None:
    lanes = admission()
    with lanes.place(Lane.INGEST, 100), lanes.place(Lane.SEARCH, 100):
        assert lanes.held(Lane.SEARCH) == 100


def test_empty_lane_takes_any_one_request() -> None:
    lanes = admission()
    with lanes.place(Lane.SEARCH, 5000):
        assert lanes.held(Lane.SEARCH) == 5000


def test_room_that_turns_out_unneeded_is_free_for_others() -> None:
    lanes = admission()
    with lanes.place(Lane.SEARCH, 90) as place:
        lanes.resize(place, 20)
        with lanes.place(Lane.SEARCH, 80):
            assert lanes.held(Lane.SEARCH) == 100


@pytest.mark.parametrize(
    ("rate", "seconds"), [(None, 1), (10.0, 15), (1000.0, 1), (0.1, 300)], ids=str
)
def test_retry_after_is_the_time_that_the_excess_and_a_place_take(
    rate: float | None, seconds: int
) -> None:
    """Of 50 tokens, after a place of as much as 100."""
    lanes = admission(rate=rate)
    with lanes.place(Lane.SEARCH, 100):
        assert refused(lanes, 50) == seconds


def test_retry_after_counts_the_excess_and_the_largest_place() -> None:
    lanes = admission(rate=10.0)
    with ExitStack() as places:
        for size in (20, 50, 30):
            places.enter_context(lanes.place(Lane.SEARCH, size))
        assert refused(lanes, 10) == (10 + 50) / 10


def test_clients_refused_together_are_told_to_come_back_one_after_another() -> None:
    lanes = admission(rate=10.0)
    with ExitStack() as places:
        for _ in range(10):
            places.enter_context(lanes.place(Lane.SEARCH, 10))
        assert [refused(lanes, 10, client) for client in "abc"] == [2, 3, 4]


@contextmanager
def full(lanes: Admission, *, leaving: int) -> Iterator[tuple[ExitStack, ExitStack]]:
    """A lane of 100 tokens: who stays, and who has `leaving` of them until it is closed."""
    with ExitStack() as rest:
        leaves = rest.enter_context(ExitStack())
        leaves.enter_context(lanes.place(Lane.SEARCH, leaving))
        rest.enter_context(lanes.place(Lane.SEARCH, 100 - leaving))
        yield rest, leaves


def test_newcomer_leaves_room_to_who_was_told_to_come_back() -> None:
    clock = Clock()
    lanes = admission(rate=10.0, clock=clock)
    with full(lanes, leaving=20) as (rest, leaves):
        wait_s = refused(lanes, 20, "early")
        leaves.close()
        clock.now += wait_s
        assert refused(lanes, 20, "newcomer") > 0
        rest.enter_context(lanes.place(Lane.SEARCH, 20, "early"))
        assert lanes.held(Lane.SEARCH) == 100


def test_lane_does_not_stand_idle_however_much_was_promised() -> None:
    """Newcomers have half of it."""
    lanes = admission(rate=10.0)
    with full(lanes, leaving=100) as (rest, leaves):
        for client in range(10):
            refused(lanes, 40, f"later {client}")
        leaves.close()
        rest.enter_context(lanes.place(Lane.SEARCH, 50, "newcomer"))
        assert refused(lanes, 1, "another") > 0


def test_room_that_nobody_comes_back_for_is_given_to_others() -> None:
    clock = Clock()
    lanes = admission(rate=10.0, clock=clock)
    with full(lanes, leaving=20) as (rest, leaves):
        wait_s = refused(lanes, 20, "gone")
        leaves.close()
        clock.now += wait_s + GRACE_S + 0.1
        rest.enter_context(lanes.place(Lane.SEARCH, 20, "newcomer"))
        assert lanes.held(Lane.SEARCH) == 100


def test_those_who_never_come_back_keep_nobody_out_for_long() -> None:
    """A third of the lane is free, and some promises of thirty tokens are still to lapse."""
    clock = Clock()
    lanes = admission(rate=10.0, clock=clock)
    with full(lanes, leaving=33) as (rest, leaves):
        for client in range(40):
            refused(lanes, 30, f"gone {client}")
        leaves.close()
        clock.now += 240.0
        rest.enter_context(lanes.place(Lane.SEARCH, 10, "newcomer"))
        assert lanes.held(Lane.SEARCH) == 77


@dataclass
class Machine:
    """Does the lane's work in the order in which it came, `RATE` tokens a second."""

    clock: Clock
    waiting: deque[tuple[ExitStack, float]] = field(default_factory=deque)

    def add(self, place: ExitStack, tokens: int) -> None:
        self.waiting.append((place, float(tokens)))

    def work_until(self, now: float) -> None:
        left = (now - self.clock.now) * RATE
        while self.waiting and self.waiting[0][1] <= left + 1e-6:
            place, tokens = self.waiting.popleft()
            left -= tokens
            place.close()
        if self.waiting:
            place, tokens = self.waiting.popleft()
            self.waiting.appendleft((place, tokens - left))
        self.clock.now = now


@given(
    st.lists(st.tuples(st.floats(0, 30), st.integers(1, 40)), min_size=20, max_size=80),
)
def test_client_that_waits_as_told_finds_room(coming: list[tuple[float, int]]) -> None:
    """Whatever other clients send meanwhile, at a machine of steady speed."""
    clock = Clock()
    lanes, machine = admission(rate=RATE, clock=clock), Machine(clock)
    events = [(at, client, tokens, False) for client, (at, tokens) in enumerate(coming)]
    heapify(events)
    refusals = 0
    while events:
        at, client, tokens, told = heappop(events)
        machine.work_until(at)
        place = ExitStack()
        try:
            place.enter_context(lanes.place(Lane.SEARCH, tokens, str(client)))
        except Overloaded as refusal:
            refusals += 1
            assert not told, "was told to come back and found no room"
            heappush(events, (at + (refusal.retry_after_s or 0), client, tokens, True))
        else:
            machine.add(place, tokens)
    machine.work_until(clock.now + 1000.0)
    event("some refused" if refusals else "none refused")
    assert lanes.held(Lane.SEARCH) == 0


@given(st.lists(st.integers(1, 120), max_size=30))
def test_lane_never_holds_more_than_its_limit_or_one_request(sizes: list[int]) -> None:
    lanes = admission()
    held = 0
    with ExitStack() as places:
        for size in sizes:
            fits = held == 0 or held + size <= 100
            with nullcontext() if fits else pytest.raises(Overloaded):
                places.enter_context(lanes.place(Lane.SEARCH, size))
            held += size if fits else 0
            assert lanes.held(Lane.SEARCH) == held
    assert lanes.held(Lane.SEARCH) == 0
