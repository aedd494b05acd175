"""A request's room: by its body's size until its tokens are known, in one lane at a time."""

import math
from contextlib import nullcontext

import pytest

from bicross.errors import Overloaded
from bicross.server.admission.admission import Admission
from bicross.server.admission.entry import BYTES_PER_TOKEN, TEXT_BYTES_PER_TOKEN, Entry
from bicross.server.scheduling.lane import Lane
from bicross.server.telemetry.metrics import Metrics

LIMIT = 1000
MOST = 500


@pytest.fixture
def admission() -> Admission:
    return Admission(LIMIT, 1, Metrics(), lambda _: 10.0)


@pytest.fixture
def entry(admission: Admission) -> Entry:
    return Entry(admission, "client", MOST, math.inf)


def held(admission: Admission) -> dict[Lane, int]:
    return {lane: admission.held(lane) for lane in Lane}


def test_body_takes_room_by_its_size_and_gives_it_back(admission: Admission, entry: Entry) -> None:
    with entry:
        entry.expect(200, Lane.SEARCH, whole=True)
        tokens = 200 // BYTES_PER_TOKEN + 1
        assert held(admission) == {Lane.SEARCH: tokens, Lane.INGEST: 0}
    assert held(admission) == {Lane.SEARCH: 0, Lane.INGEST: 0}


def test_no_request_asks_for_more_than_one_may_have(admission: Admission, entry: Entry) -> None:
    with entry:
        entry.expect(1 << 20, Lane.INGEST, whole=True)
        assert admission.held(Lane.INGEST) == MOST


def test_body_of_an_unknown_lane_takes_its_room_when_that_is_known(
    admission: Admission, entry: Entry
) -> None:
    with entry:
        entry.expect(200, None, whole=True)
        assert held(admission) == {Lane.SEARCH: 0, Lane.INGEST: 0}
        entry.admit(Lane.SEARCH, MOST, whole=True)
        assert admission.held(Lane.SEARCH) == 101


def test_search_that_entered_with_ingest_moves_to_its_own_lane(
    admission: Admission, entry: Entry
) -> None:
    with entry:
        entry.expect(200, Lane.INGEST, whole=True)
        entry.admit(Lane.SEARCH, MOST, whole=True)
        assert held(admission) == {Lane.SEARCH: 101, Lane.INGEST: 0}


def test_room_that_the_texts_cannot_need_is_given_back_before_they_are_tokenised(
    admission: Admission, entry: Entry
) -> None:
    with entry:
        entry.expect(200, Lane.INGEST, whole=True)
        entry.admit(Lane.INGEST, 30, whole=True)
        assert admission.held(Lane.INGEST) == 30


def test_texts_that_are_mostly_cut_still_hold_room_for_the_memory_that_they_take(
    admission: Admission, entry: Entry
) -> None:
    with entry:
        entry.expect(100 * TEXT_BYTES_PER_TOKEN, Lane.INGEST, whole=True)
        entry.resize(8)
        assert admission.held(Lane.INGEST) == 100


def test_promised_room_is_kept_until_the_tokens_are_known() -> None:
    """Who was refused when its tokens were known is promised room for those."""
    now = [0.0]
    admission = Admission(LIMIT, 1, Metrics(), lambda _: 10.0, lambda: now[0])
    with admission.place(Lane.INGEST, 900), Entry(admission, "client", MOST, math.inf) as entry:
        entry.expect(100, Lane.INGEST, whole=True)
        with pytest.raises(Overloaded) as refused:
            entry.resize(300)
        assert admission.held(Lane.INGEST) == 900 + 51
    assert refused.value.retry_after_s is not None
    now[0] += refused.value.retry_after_s
    with Entry(admission, "client", MOST, math.inf) as again:
        again.expect(100, Lane.INGEST, whole=True)
        again.admit(Lane.INGEST, 60, whole=True)
        assert admission.held(Lane.INGEST) == 300
        again.resize(70)
        assert admission.held(Lane.INGEST) == 70


def timed(admission: Admission, deadline: float) -> Entry:
    return Entry(admission, "client", MOST, deadline)


def test_whole_request_is_refused_by_its_size_where_half_of_it_would_be_late() -> None:
    """200 tokens of another client, and as many of its own, take 40 s."""
    admission = Admission(LIMIT, 1, Metrics(), lambda _: 10.0, lambda: 0.0)
    with admission.place(Lane.INGEST, 300, "another"), timed(admission, 50.0) as entry:
        entry.expect(2 * 399, Lane.INGEST, whole=False)
        with pytest.raises(Overloaded):
            entry.expect(2 * 399, Lane.INGEST, whole=True)


@pytest.mark.parametrize("whole", [True, False])
def test_request_is_refused_by_its_tokens_where_it_would_not_end_in_time_unless_in_part(
    whole: bool,
) -> None:
    """300 tokens of another client, and as many of its own, take a minute."""
    admission = Admission(LIMIT, 1, Metrics(), lambda _: 10.0, lambda: 0.0)
    with admission.place(Lane.INGEST, 300, "another"), timed(admission, 50.0) as entry:
        entry.expect(2 * 299, Lane.INGEST, whole=False)
        entry.admit(Lane.INGEST, MOST, whole=whole)
        with pytest.raises(Overloaded) if whole else nullcontext():
            entry.resize(300)
