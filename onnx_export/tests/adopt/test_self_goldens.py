"""What may count as goldens where no original is at hand."""

import math

import pytest

from bicross.bundle import Bound
from bicross.errors import FlatSample
from bicross.runtime.ranking.samples import Sample
from onnx_export.adopt.self_goldens import LEAST_TAU, require_telling

SAMPLE = Sample("mine.jsonl", ("a query",), ("a passage", "another"))


def test_bound_that_tells_a_right_order_from_a_random_one_is_taken() -> None:
    require_telling(Bound(max_abs_diff=0.03, min_tau=LEAST_TAU), "int8", SAMPLE)


@pytest.mark.parametrize("tau", [LEAST_TAU - 0.01, -1.0, math.nan])
def test_bound_that_nearly_any_order_keeps_is_refused_with_the_remedy(tau: float) -> None:
    with pytest.raises(FlatSample, match=r"mine\.jsonl.*int8 moves so far.*--sample, or adopt"):
        require_telling(Bound.model_construct(max_abs_diff=0.03, min_tau=tau), "int8", SAMPLE)
