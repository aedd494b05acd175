import numpy as np
import pytest

from bicross.errors import FlatSample
from bicross.runtime.ranking.samples import Sample
from onnx_export.gate.tolerance import (
    Tolerance,
    fp32_tolerance,
    golden_bound,
    lowest_tau,
    require_spread,
)

SAMPLE = Sample("mine.jsonl", ("q",), ("p",))


def test_unit_vectors_and_usual_logits_get_the_plain_tolerance() -> None:
    vectors = np.eye(4, dtype=np.float32)
    assert fp32_tolerance(vectors, is_rerank=False).value == pytest.approx(1e-5)
    logits = np.array([[11.0], [-11.0]], np.float32)
    assert fp32_tolerance(logits, is_rerank=True) == Tolerance(1e-4, 1e-4)


def test_larger_numbers_get_more_in_proportion() -> None:
    assert fp32_tolerance(20 * np.eye(4), is_rerank=False).value == pytest.approx(2e-4)
    assert fp32_tolerance(np.array([[160.0]]), is_rerank=True).value == pytest.approx(1e-3)


def test_one_flat_query_is_enough_to_refuse_the_sample() -> None:
    scores = np.array([[0.0, 5.0, 9.0], [1.0, 1.05, 1.09]])
    with pytest.raises(FlatSample, match=r"spread over 0\.09, less than 10 times.*--sample"):
        require_spread(scores, 0.01, SAMPLE)
    assert require_spread(scores[:1], 0.01, SAMPLE) == 9.0


def test_constant_scores_are_flat_even_without_tolerance() -> None:
    with pytest.raises(FlatSample):
        require_spread(np.full((1, 3), np.nan), 0.0, SAMPLE)


def test_tau_may_fall_by_the_pairs_that_cannot_be_told_apart() -> None:
    scores = np.array([[0.0, 1.0, 2.0, 3.0], [0.0, 0.015, 2.0, 3.0]])
    assert lowest_tau(scores, Tolerance(0.01, 0.01)) == pytest.approx(1 - 2 / 6)
    assert lowest_tau(scores, Tolerance(0.01, 0.001)) == 1.0


def test_golden_bound_looks_at_the_goldens_alone() -> None:
    scores = np.arange(10.0 * 20).reshape(10, 20)
    scores[9, :] = 1.0
    scores[0, 16:] = 1.0
    assert golden_bound(scores, Tolerance(0.25, 0.25)).min_tau == 1.0
