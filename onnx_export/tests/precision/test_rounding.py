import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from onnx_export.precision.rounding import round_activations, round_blocks, round_columns

NUMBERS = st.floats(-100, 100, width=32)
MATRICES = arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=40), elements=NUMBERS)


@given(MATRICES)
def test_activations_move_by_half_a_step_of_their_range_at_most(values: np.ndarray) -> None:
    step = (max(0, values.max()) - min(0, values.min())) / 255
    rounded = round_activations(values)
    # The zero point is rounded too, so that an end of the range may lose another half.
    assert np.abs(rounded - values).max() <= step * 1.001 + 1e-5
    assert len(np.unique(rounded)) <= 256


@given(MATRICES)
def test_columns_have_scales_of_their_own(weight: np.ndarray) -> None:
    rounded = round_columns(weight)
    steps = np.abs(weight).max(axis=0) / 63
    assert (np.abs(rounded - weight) <= steps * 0.5001 + 1e-6).all()
    assert all(len(np.unique(column)) <= 127 for column in rounded.T)


@given(MATRICES, st.sampled_from([4, 8]), st.sampled_from([8, 32]))
def test_blocks_keep_the_shape_and_round_within_their_own_range(
    weight: np.ndarray, bits: int, block: int
) -> None:
    rounded = round_blocks(weight, bits, block)
    assert rounded.shape == weight.shape
    for start in range(0, len(weight), block):
        part, result = weight[start : start + block], rounded[start : start + block]
        step = (np.maximum(part.max(0), 0) - np.minimum(part.min(0), 0)) / (2**bits - 1)
        assert (np.abs(result - part) <= step * 1.001 + 1e-5).all()
        assert all(len(np.unique(column)) <= 2**bits for column in result.T)


def test_more_bits_and_smaller_blocks_lose_less() -> None:
    weight = np.random.default_rng(1).normal(size=(128, 64)).astype(np.float32)
    errors = [
        np.square(round_blocks(weight, bits, block) - weight).sum()
        for bits, block in ((8, 32), (8, 128), (4, 32), (4, 128))
    ]
    assert errors == sorted(errors)
    assert errors[2] > 100 * errors[0]


def test_nothing_is_lost_of_zeros() -> None:
    zeros = np.zeros((4, 4), np.float32)
    for rounded in (round_activations(zeros), round_columns(zeros), round_blocks(zeros, 4, 32)):
        assert rounded == pytest.approx(zeros)
