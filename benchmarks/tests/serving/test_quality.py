import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import kendalltau  # type: ignore[import-untyped, unused-ignore]

from benchmarks.serving.quality import Array, judge, overlap, tau

SCORES = arrays(np.float32, 12, elements=st.integers(-4, 4).map(float))


def test_half_of_the_best_kept_is_half_an_overlap() -> None:
    reference = np.array([4, 3, 2, 1], np.float32)
    assert overlap(reference, np.array([4, 1, 2, 3], np.float32), top=2) == 0.5


def test_fewer_passages_than_the_top_always_overlap() -> None:
    reference = np.array([2, 1], np.float32)
    assert overlap(reference, -reference) == 1.0


def test_the_opposite_order_has_tau_minus_one() -> None:
    reference = np.array([1, 2, 3], np.float32)
    assert tau(reference, -reference) == -1.0


@given(SCORES, SCORES)
def test_tau_is_tau_b(first: Array, second: Array) -> None:
    expected = kendalltau(first, second).statistic
    if np.isfinite(expected):
        assert tau(first, second) == pytest.approx(expected, abs=1e-6)


def judged(shift: float) -> dict[str, Array]:
    random = np.random.default_rng(1)
    passages = random.standard_normal((40, 8)).astype(np.float32)
    return {
        "passages": passages,
        "alone": passages[:4] + np.float32(shift),
        "queries": random.standard_normal((5, 8)).astype(np.float32),
        "windows": random.standard_normal((2, 30)).astype(np.float32),
    }


def test_the_same_numbers_are_judged_perfect() -> None:
    found = judge(judged(0), judged(0))
    assert [found[f"{side}_overlap"] for side in ("bi", "cross")] == [1.0, 1.0]
    assert [found[f"{side}_tau"] for side in ("bi", "cross")] == pytest.approx([1.0, 1.0])


def test_what_company_changes_is_told() -> None:
    assert judge(judged(0), judged(0.25))["moves_by"] == pytest.approx(0.25)
