"""The amount sent at once: halved under overload, back to the largest when it is over."""

from hypothesis import given
from hypothesis import strategies as st

from bicross.cluster.pace import GROWTH_STEPS, Pace


def test_overload_halves_and_quiet_restores() -> None:
    pace = Pace(100)
    pace.overloaded()
    pace.overloaded()
    assert pace.size == 25
    pace.accepted()
    assert pace.size == 35


@given(largest=st.integers(1, 1000), overloads=st.integers(0, 20))
def test_it_recovers_within_as_many_quiet_bulks_as_there_are_steps(
    largest: int, overloads: int
) -> None:
    pace = Pace(largest)
    for _ in range(overloads):
        pace.overloaded()
        assert 1 <= pace.size <= largest
    for _ in range(2 * GROWTH_STEPS):
        pace.accepted()
    assert pace.size == largest
