"""What goes before a request is told by who holds what: a flood goes before its own alone."""

from hypothesis import given
from hypothesis import strategies as st

from bicross.server.admission.clients import Clients

BATCH = 5


def holding(**clients: list[int]) -> Clients:
    made = Clients(BATCH)
    for client, places in clients.items():
        for tokens in places:
            made.change(client, tokens, 1)
    return made


def test_all_of_the_same_size_that_a_client_holds_goes_before_its_next() -> None:
    assert holding(a=[10, 10, 10]).ahead("a", 10, 10) == 20


def test_of_a_huge_request_no_more_goes_before_a_small_one_of_the_same_client() -> None:
    clients = holding(a=[1000, 10])
    assert clients.ahead("a", 10, 10) == 10
    assert clients.ahead("a", 1000, 1000) == 10


def test_requests_smaller_than_a_batch_go_before_those_that_came_later() -> None:
    assert holding(a=[4, 4, 1000, 1]).ahead("a", 1, 1) == 3 * BATCH


def test_nothing_goes_before_the_beginning_of_a_new_client() -> None:
    assert holding(flood=[100] * 9, new=[50]).ahead("new", 50, 0) == 0


def test_another_client_gets_no_more_before_it_than_its_own() -> None:
    clients = holding(flood=[100] * 9, small=[5], new=[50])
    assert clients.ahead("new", 50, 50) == 50 + 5
    assert clients.ahead("flood", 100, 100) == 800 + 5 + 50


def test_what_was_given_back_goes_before_nobody() -> None:
    clients = holding(a=[10], b=[10, 20])
    clients.change("a", -10, -1)
    clients.change("b", -20, -1)
    assert clients.ahead("b", 10, 10) == 0


@given(
    st.dictionaries(
        st.sampled_from("abcd"), st.lists(st.integers(1, 50), min_size=1, max_size=5), min_size=1
    )
)
def test_no_more_goes_before_a_request_than_others_hold(held: dict[str, list[int]]) -> None:
    clients = holding(**held)
    for client, places in held.items():
        for tokens in places:
            others = sum(map(sum, held.values())) - tokens
            begin, end = (clients.ahead(client, tokens, needed) for needed in (0, tokens))
            assert 0 <= begin <= end <= others
