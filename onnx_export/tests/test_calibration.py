"""int8's scale spans nearly all that the sample's vectors hold, and travels between machines."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentence_transformers import SentenceTransformer

from bicross.bundle import Bundle
from bicross.runtime import FloatArray
from bicross.runtime.quantized_vectors import convert
from bicross.runtime.ranking.samples import Sample
from onnx_export.calibration import int8_scale

pytestmark = pytest.mark.torch
NORMAL = np.random.default_rng(5).normal(size=(80, 384)).astype(np.float32)


@given(st.floats(1e-3, 1e3))
def test_scale_cuts_one_number_in_two_thousand(stretch: float) -> None:
    vectors = (NORMAL * np.float32(stretch)).astype(np.float32)
    scale = int8_scale(vectors)
    assert scale is not None
    assert 1e-4 < np.mean(np.abs(vectors) > scale) < 1e-3


def test_one_text_that_is_odd_does_not_stretch_the_scale() -> None:
    odd = NORMAL.copy()
    odd[3, :5] = 1000
    assert int8_scale(odd) == pytest.approx(int8_scale(NORMAL), rel=0.1)


def test_rounding_of_another_machine_leaves_the_scale_as_it_is() -> None:
    noise = np.random.default_rng(6).normal(size=NORMAL.shape) * 1e-6
    assert int8_scale(NORMAL) == int8_scale((NORMAL + noise).astype(np.float32))


def test_vectors_of_nothing_have_no_scale() -> None:
    assert int8_scale(np.zeros((2, 8), np.float32)) is None


def test_export_keeps_the_scale_of_the_original_s_vectors(
    models: Any, export: Callable[..., Bundle], sample: Sample
) -> None:
    folder = models.embedding("mean")
    original = SentenceTransformer(str(folder), device="cpu")
    queries = original.encode(list(sample.queries), prompt_name="query")
    passages = original.encode(list(sample.passages), prompt_name="document")
    vectors: FloatArray = np.concatenate([queries, passages])
    head = export(folder).manifest.embedding
    assert head is not None
    assert head.int8_scale == int8_scale(vectors)
    whole = convert(vectors, "int8", head).astype(np.float64)
    cosine = (whole / np.linalg.norm(whole, axis=1, keepdims=True) * vectors).sum(axis=1)
    assert cosine.min() > 0.999
