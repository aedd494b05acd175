"""What is promised at load, and how fast a precision is said to be."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.bundle import open_bundle
from bicross.runtime import load_encoder
from bicross.runtime.ranking.samples import read_sample
from onnx_export.gate.measurement import Measurement
from onnx_export.gate.probes import Probe, Probes
from onnx_export.precision.bounds import hinted_bound, measured_bound
from onnx_export.precision.speed import ROUNDS, compare_speed

TINY = Path(__file__).parents[3] / "plugin" / "tests" / "bundles" / "tiny-bi"
SAMPLE = read_sample()
INPUTS = (("query", SAMPLE.queries[0]), *(("passage", text) for text in SAMPLE.passages[:5]))
PROBE = Probe("mixed", INPUTS, np.eye(6, 32, dtype=np.float32))
PROBES = Probes(SAMPLE, "text_embedding", PROBE, PROBE, PROBE, INPUTS[-1])


@given(st.floats(0, 1), st.floats(-1, 1))
def test_bound_at_load_admits_twice_what_was_measured(moved: float, tau: float) -> None:
    differences = {("mixed", "8"): moved, ("maximum", "8"): 5.0}
    bound = measured_bound(Measurement(differences, golden_tau=tau), PROBES)
    assert bound.max_abs_diff >= 2 * moved
    assert bound.max_abs_diff <= max(2 * moved, PROBES.tolerance.value)
    assert -1 <= bound.min_tau <= 2 * tau - 1 or bound.min_tau == -1


def test_hint_is_bounded_by_what_bfloat16_keeps() -> None:
    bound = hinted_bound(PROBES)
    assert (bound.max_abs_diff, bound.min_tau) == (0.0625, 0.95)


def test_speed_is_the_median_of_rounds_that_ran_right_after_one_another() -> None:
    """A neighbour who slows one round down, on either side, changes nothing."""
    encoder = load_encoder(open_bundle(TINY))
    seconds = [(2.0, 1.0)] * (ROUNDS - 2) + [(20.0, 1.0), (2.0, 30.0)]
    now, ticks = 0.0, [0.0]
    for duration in itertools.chain.from_iterable(seconds):
        now += duration
        ticks += [now, now]
    found = compare_speed(encoder, encoder, PROBES, iter(ticks).__next__)
    assert found["texts_per_s_vs_fp32"] == 2.0
    assert found["lowest_round"] == pytest.approx(1 / 15)
    assert found["highest_round"] == 20.0
