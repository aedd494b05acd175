"""Who was told when to come back is known again, once, and lapses when it does not come."""

import pytest

from bicross.server.admission.promises import GRACE_S, LATEST, MAX_PROMISES, Promise, Promises


def promises(*made: Promise) -> Promises:
    each = Promises()
    for promise in made:
        each.add(promise)
    return each


def promise(client: str = "a", tokens: int = 10, due: float = 5.0, asked: int = 10) -> Promise:
    return Promise(client, asked, tokens, due, due)


def test_who_comes_back_is_given_what_it_was_promised() -> None:
    """Which may be more than it asks for: it was refused when its tokens were known."""
    waiting = promises(promise(asked=10, tokens=30))
    assert waiting.claim("a", 10, 5.0) == 30


def test_promise_is_kept_once() -> None:
    waiting = promises(promise())
    waiting.claim("a", 10, 5.0)
    assert waiting.claim("a", 10, 5.0) is None
    assert waiting.tokens(5.0) == 0


@pytest.mark.parametrize(
    ("client", "asked", "now"), [("b", 10, 5.0), ("a", 11, 5.0), ("a", 10, 4.0)]
)
def test_another_client_request_or_time_has_no_promise(client: str, asked: int, now: float) -> None:
    assert promises(promise()).claim(client, asked, now) is None


def test_who_comes_late_is_known_for_a_while() -> None:
    assert promises(promise()).claim("a", 10, 5.0 + GRACE_S) == 10
    assert promises(promise()).claim("a", 10, 5.1 + GRACE_S) is None


def test_room_is_kept_for_all_who_are_expected() -> None:
    waiting = promises(promise("a", 10), promise("b", 20, due=6.0))
    assert waiting.tokens(5.0) == 30


def test_promises_that_nobody_claimed_make_the_others_count_less() -> None:
    waiting = promises(promise("gone", 10, due=1.0), promise("b", 100, due=60.0))
    assert waiting.tokens(2.0 + GRACE_S) == round(100 * (1 - LATEST))


def test_work_of_those_who_come_is_done_after_they_have_come() -> None:
    """10 tokens a second: 20 are left of 70 when the first brings 10, at 5 s; none at 10 s."""
    waiting = promises(promise("a", 10, due=5.0), promise("b", 40, due=10.0))
    assert waiting.foresee(70.0, 10.0, 0.0, least=0.0) == (10.0, 40.0)
    assert promises().foresee(70.0, 10.0, 3.0, least=0.0) == (3.0, 70.0)


def test_newcomers_keep_the_work_from_ending() -> None:
    waiting = promises(promise("a", 10, due=5.0), promise("b", 40, due=10.0))
    assert waiting.foresee(70.0, 10.0, 0.0, least=50.0) == (10.0, 90.0)


def test_largest_is_of_those_that_wait() -> None:
    waiting = promises(promise("a", 30), promise("b", 20, due=6.0))
    assert waiting.largest == 30
    waiting.claim("a", 10, 5.0)
    assert waiting.largest == 20
    assert promises().largest == 0


def test_only_so_many_are_made() -> None:
    waiting = promises(*(promise(str(number)) for number in range(MAX_PROMISES)))
    assert waiting.full
    assert not promises(promise()).full
