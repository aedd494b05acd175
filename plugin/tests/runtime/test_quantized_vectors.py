"""Fewer bits keep the order of what lies far enough apart, and mean what they say they mean."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.bundle.heads import Embedding
from bicross.errors import InvalidRequest
from bicross.runtime import FloatArray
from bicross.runtime.quantized_vectors import convert, offered_dtypes, require_dtype

NUMBERS = st.floats(-1, 1, width=32)


def head(dimensions: int, *, scale: float | None = 1.0, normalize: bool = False) -> Embedding:
    return Embedding(
        dimensions=dimensions,
        similarity="cosine",
        pooling="mean",
        normalize=normalize,
        int8_scale=scale,
    )


@st.composite
def tables(draw: st.DrawFn) -> FloatArray:
    """Three vectors or more, of one to twenty dimensions, nothing beyond 1."""
    width = draw(st.integers(1, 20))
    row = st.lists(NUMBERS, min_size=width, max_size=width)
    return np.array(draw(st.lists(row, min_size=3, max_size=6)), np.float32)


@given(tables())
def test_products_of_int8_keep_every_order_wider_than_their_rounding(vectors: FloatArray) -> None:
    dimensions = vectors.shape[1]
    whole = convert(vectors, "int8", head(dimensions)).astype(np.int64)
    exact = vectors.astype(np.float64)
    query, passages = exact[0], exact[1:]
    # Each number is off by half a step of 1/127, so that a product is off by no more than this.
    step = 0.5 / 127
    rounding = [
        step * (np.abs(query).sum() + np.abs(passage).sum()) + dimensions * step**2
        for passage in passages
    ]
    products, ours = passages @ query, whole[1:] @ whole[0]
    for a, b in combinations(range(len(passages)), 2):
        if products[a] - products[b] > rounding[a] + rounding[b] + 1e-6:
            assert ours[a] > ours[b]


@given(tables(), st.floats(0.01, 2))
def test_int8_is_symmetric_and_stays_within_127(vectors: FloatArray, scale: float) -> None:
    whole = convert(vectors, "int8", head(vectors.shape[1], scale=scale))
    mirrored = convert(-vectors, "int8", head(vectors.shape[1], scale=scale))
    assert whole.dtype == np.int8
    assert np.abs(whole.astype(int)).max() <= 127
    assert (mirrored == -whole).all()


@given(tables())
def test_uint8_is_int8_moved_above_zero(vectors: FloatArray) -> None:
    signed, unsigned = (
        convert(vectors, dtype, head(vectors.shape[1])) for dtype in ("int8", "uint8")
    )
    assert unsigned.dtype == np.uint8
    assert (unsigned.astype(int) - 128 == signed).all()


def test_scale_is_what_becomes_127_and_more_is_cut() -> None:
    vectors = np.array([[0.5, -0.5, 0.25, 3.0, -3.0, 0.0]], np.float32)
    assert convert(vectors, "int8", head(6, scale=0.5)).tolist() == [[127, -127, 64, 127, -127, 0]]


@given(tables())
def test_bits_give_back_the_sign_of_every_number(vectors: FloatArray) -> None:
    packed = convert(vectors, "ubinary", head(vectors.shape[1]))
    assert packed.shape == (len(vectors), -(-vectors.shape[1] // 8))
    bits = np.unpackbits(packed, axis=1)
    assert (bits[:, : vectors.shape[1]] == (vectors > 0)).all()
    assert not bits[:, vectors.shape[1] :].any()


@given(tables())
def test_binary_is_ubinary_minus_128_and_as_far_apart_in_bits(vectors: FloatArray) -> None:
    unsigned = convert(vectors, "ubinary", head(vectors.shape[1]))
    signed = convert(vectors, "binary", head(vectors.shape[1]))
    assert signed.dtype == np.int8
    assert (signed.astype(int) == unsigned.astype(int) - 128).all()
    raw = signed.view(np.uint8)
    assert (np.bitwise_count(raw[0] ^ raw[1]) == np.bitwise_count(unsigned[0] ^ unsigned[1])).all()


@pytest.mark.torch
@pytest.mark.parametrize("dtype", ["binary", "ubinary"])
@given(vectors=tables())
def test_bits_are_those_of_sentence_transformers(dtype: Any, vectors: FloatArray) -> None:
    pytest.importorskip("sentence_transformers")
    from sentence_transformers.util import quantize_embeddings  # noqa: PLC0415  heavy, and optional

    ours = convert(vectors, dtype, head(vectors.shape[1]))
    theirs = np.asarray(quantize_embeddings(vectors, dtype))
    assert ours.dtype == theirs.dtype
    assert (ours == theirs).all()


def test_float_is_what_came() -> None:
    vectors = np.ones((2, 3), np.float32)
    assert convert(vectors, "float", head(3)) is vectors


def test_cut_vectors_of_unit_length_have_a_scale_as_much_larger_as_their_numbers() -> None:
    cut = np.full((1, 4), 0.5, np.float32)
    assert convert(cut, "int8", head(16, scale=0.25, normalize=True)).tolist() == [[127] * 4]
    assert convert(cut, "int8", head(16, scale=1.0)).tolist() == [[64] * 4]


def test_model_without_a_scale_offers_bits_alone_and_says_how_to_have_int8() -> None:
    bare = head(8, scale=None)
    assert offered_dtypes(bare) == ("float", "binary", "ubinary")
    assert offered_dtypes(head(8)) == ("float", "int8", "uint8", "binary", "ubinary")
    require_dtype(bare, "ubinary", "minilm")
    with pytest.raises(
        InvalidRequest, match=r"minilm has no int8_scale. Export the model from its weights"
    ):
        require_dtype(bare, "uint8", "minilm")


def test_conversion_that_was_not_asked_about_first_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="int8 without a scale"):
        convert(np.ones((1, 8), np.float32), "int8", head(8, scale=None))
