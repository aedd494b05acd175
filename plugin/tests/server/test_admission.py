"""Lanes hold a bounded number of tokens; more is refused at once, with an honest wait."""

from contextlib import ExitStack, nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.errors import Overloaded
from bicross.server.admission import Admission, Lane
from bicross.server.metrics import Metrics


def admission(limit: int = 100, rate: float | None = None) -> Admission:
    return Admission(limit, Metrics(), {Lane.SEARCH: rate, Lane.INGEST: rate}.__getitem__)


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
    ("rate", "seconds"), [(None, 1), (10.0, 5), (1000.0, 1), (0.1, 60)], ids=str
)
def test_retry_after_is_the_time_that_the_excess_takes(rate: float | None, seconds: int) -> None:
    lanes = admission(rate=rate)
    with lanes.place(Lane.SEARCH, 100), pytest.raises(Overloaded) as caught:
        lanes.place(Lane.SEARCH, 50).__enter__()
    assert caught.value.retry_after_s == seconds


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
