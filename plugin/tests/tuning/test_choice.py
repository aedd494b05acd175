"""The fastest is chosen, and of those that noise cannot tell apart the simplest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.tuning.choice import NOISE, Pair, Setting, Speed, fastest, untuned

PAIRS = st.builds(
    Pair, st.sampled_from(["onnxruntime", "openvino"]), st.sampled_from(["fp32", "bf16", "int8"])
)
SETTINGS = st.builds(Setting, streams=st.integers(1, 4), pad_to=st.sampled_from([1, 16]))
SPEEDS = st.lists(st.builds(Speed, PAIRS, SETTINGS, st.floats(1, 1e6)), min_size=1, max_size=12)


@given(SPEEDS)
def test_nothing_is_faster_by_more_than_noise(speeds: list[Speed]) -> None:
    chosen = fastest(speeds)
    assert chosen in speeds
    assert all(chosen.tokens_per_s >= each.tokens_per_s * (1 - NOISE) for each in speeds)


@given(SPEEDS)
def test_nothing_simpler_is_as_fast(speeds: list[Speed]) -> None:
    chosen = fastest(speeds)
    near = max(each.tokens_per_s for each in speeds) * (1 - NOISE)
    assert not any(
        each.pair.simplicity < chosen.pair.simplicity and each.tokens_per_s >= near
        for each in speeds
    )


def test_a_tie_goes_to_onnxruntime_and_float32() -> None:
    simple, other = Pair("onnxruntime", "fp32"), Pair("openvino", "bf16")
    speeds = [Speed(other, Setting(), 104.0), Speed(simple, Setting(), 100.0)]
    assert fastest(speeds).pair == simple
    assert fastest([Speed(other, Setting(), 120.0), speeds[1]]).pair == other


@pytest.mark.parametrize(("threads", "streams"), [(1, 1), (2, 2), (16, 2)])
def test_untuned_models_run_in_two_streams_where_there_are_two_threads(
    threads: int, streams: int
) -> None:
    assert untuned(threads) == Setting(streams=streams, threads=threads)


def test_what_serves_without_tuning_stays_where_nothing_is_faster_by_more_than_noise() -> None:
    pair, usual, narrow = Pair("onnxruntime", "fp32"), untuned(2), Setting(streams=1, threads=2)
    speeds = [Speed(pair, usual, 100.0), Speed(pair, narrow, 104.0)]
    assert fastest(speeds).setting == usual
    assert fastest([speeds[0], Speed(pair, narrow, 110.0)]).setting == narrow
