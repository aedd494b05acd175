"""Whoever has work is served by what it was given; a rest earns nothing and costs nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.server.scheduling.fair_shares import REMEMBERED, FairShares


def serve(shares: FairShares[str], turns: int, cost: float = 1.0) -> list[str]:
    served = []
    for _ in range(turns):
        key = shares.in_turn()[0]
        shares.charge(key, cost)
        served.append(key)
    return served


def test_equal_ones_take_turns_in_order_of_coming() -> None:
    shares = FairShares[str]()
    for key in "abc":
        shares.join(key)
    assert serve(shares, 6) == list("abcabc")


def test_who_weighs_more_is_given_more() -> None:
    shares = FairShares[str]({"a": 3.0, "b": 1.0}.__getitem__)
    shares.join("a")
    shares.join("b")
    assert serve(shares, 40).count("a") == 30


def test_rest_earns_nothing() -> None:
    """Who comes after the others have been given much waits for its turn like everybody."""
    shares = FairShares[str]()
    shares.join("a")
    serve(shares, 100)
    shares.join("b")
    assert serve(shares, 10).count("b") == pytest.approx(5, abs=1)


def test_who_leaves_ahead_comes_back_ahead() -> None:
    """Else a client that sends one request at a time would always be served first."""
    shares = FairShares[str]()
    shares.join("a")
    shares.join("b")
    shares.charge("a", 10.0)
    shares.leave("a")
    shares.join("a")
    assert serve(shares, 4) == ["b"] * 4


def test_joining_twice_changes_nothing() -> None:
    shares = FairShares[str]()
    shares.join("a")
    shares.charge("a", 5.0)
    shares.join("a")
    assert shares.tag("a") == 5.0
    assert len(shares) == 1


def test_old_one_is_served_under_ever_new_comers() -> None:
    shares = FairShares[str]()
    shares.join("old")
    shares.charge("old", 3.0)
    for number in range(20):
        shares.join(f"new {number}")
        key = shares.in_turn()[0]
        shares.charge(key, 1.0)
        if key == "old":
            break
        shares.leave(key)
    else:
        pytest.fail("starved")


def test_least_is_chosen_of_those_asked_about() -> None:
    shares = FairShares[str]()
    for key in "abc":
        shares.join(key)
    for key, cost in (("a", 3.0), ("b", 1.0), ("c", 2.0)):
        shares.charge(key, cost)
    assert shares.least("ac") == "c"
    assert shares.least("") is None


def test_forgotten_one_that_went_ahead_starts_anew() -> None:
    shares = FairShares[str]()
    shares.join("a")
    shares.join("b")
    shares.charge("a", 10.0)
    shares.leave("a")
    shares.forget(lambda key: key == "a")
    shares.join("a")
    assert shares.tag("a") < 10.0


def test_few_of_those_without_work_are_remembered() -> None:
    shares = FairShares[str]()
    shares.join("stays")
    for number in range(10 * REMEMBERED):
        shares.join(str(number))
        shares.charge(str(number), 1.0)
        shares.leave(str(number))
    assert len(shares._ahead) <= REMEMBERED + 1


@given(costs=st.lists(st.floats(0.1, 10.0), min_size=1, max_size=200))
def test_of_those_who_wait_none_is_more_than_a_run_ahead(costs: list[float]) -> None:
    shares = FairShares[str]()
    given_to = dict.fromkeys("abc", 0.0)
    for key in given_to:
        shares.join(key)
    for cost in costs:
        key = shares.in_turn()[0]
        shares.charge(key, cost)
        given_to[key] += cost
        assert max(given_to.values()) - min(given_to.values()) <= max(costs) + 1e-9
