import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bicross.runtime.ranking.statistics import lowest_mean, lowest_share

SHARES = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=20).map(np.array)


@given(SHARES)
@settings(max_examples=20)
def test_lower_bound_of_a_mean_lies_between_its_smallest_value_and_its_mean(
    values: np.ndarray,
) -> None:
    bound = lowest_mean(values)
    assert values.min() - 1e-6 <= bound <= values.mean() + 1e-6


def test_lower_bound_of_a_mean_is_that_of_the_normal_distribution_for_many_values() -> None:
    values = np.random.default_rng(3).normal(0.9, 0.05, 400)
    expected = values.mean() - 1.645 * values.std() / math.sqrt(400)
    assert lowest_mean(values) == pytest.approx(expected, abs=5e-4)


def test_lower_bound_covers_the_true_mean_as_often_as_it_says() -> None:
    """In 95 of 100 samples the bound is below the mean that they were drawn from."""
    random = np.random.default_rng(5)
    covered = [lowest_mean(random.normal(0.0, 1.0, 24)) < 0 for _ in range(60)]
    assert 0.88 <= np.mean(covered) <= 1.0


def test_a_number_that_is_none_gives_no_bound() -> None:
    assert math.isnan(lowest_mean(np.array([1.0, math.nan])))
    assert math.isnan(lowest_share(0, 0))


# Wilson's interval by hand: (p + z2/2n - z sqrt(p(1-p)/n + z2/4n2)) / (1 + z2/n), z = 1.645.
@pytest.mark.parametrize(
    ("successes", "trials", "bound"),
    [(120, 120, 0.9780), (80, 80, 0.9673), (110, 120, 0.8655), (0, 10, 0.0)],
)
def test_lower_bound_of_a_share(successes: int, trials: int, bound: float) -> None:
    assert lowest_share(successes, trials) == pytest.approx(bound, abs=1e-3)


@given(st.integers(1, 500), st.integers(1, 500))
def test_lower_bound_of_a_share_is_below_it_and_rises_with_what_was_tried(a: int, b: int) -> None:
    kept, trials = min(a, b), max(a, b)
    bound = lowest_share(kept, trials)
    assert 0 <= bound < kept / trials
    assert bound <= lowest_share(4 * kept, 4 * trials) + 1e-12
