"""Texts to token weights: what is above 0, queries from a table, passages from a model."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.bundle import Bundle
from bicross.errors import InvalidManifest, UsageError
from bicross.runtime import SparseEncoder, SparseVector, self_test
from bicross.runtime.sparse_encoder import sparse_vector

DENSE = st.lists(st.floats(-1, 8, width=32, allow_subnormal=False), min_size=1, max_size=30)


@given(DENSE)
def test_vector_holds_what_is_above_nought_by_index(values: list[float]) -> None:
    dense = np.array(values, np.float32)
    found = sparse_vector(dense)
    assert found.as_dict() == {i: float(dense[i]) for i in range(len(dense)) if dense[i] > 0}
    assert found.indices.tolist() == sorted(found.indices.tolist())


def test_weight_that_no_index_takes_is_left_out() -> None:
    dense = np.array([1e-39, 2e-38, 1.0], np.float32)
    assert sparse_vector(dense).indices.tolist() == [1, 2]


@given(DENSE, st.integers(1, 30))
def test_only_the_largest_weights_are_kept_where_there_is_a_limit(
    values: list[float], most: int
) -> None:
    whole, kept = (sparse_vector(np.array(values, np.float32), n) for n in (None, most))
    assert len(kept.weights) == min(most, len(whole.weights))
    assert np.array_equal(np.sort(kept.weights), np.sort(whole.weights)[-most:])


@given(DENSE, DENSE)
def test_dot_product_is_that_of_the_dense_vectors(a: list[float], b: list[float]) -> None:
    size = min(len(a), len(b))
    first, second = (np.maximum(np.array(values[:size], np.float32), 0) for values in (a, b))
    found = sparse_vector(first).dot(sparse_vector(second))
    assert found == pytest.approx(float(first.astype(np.float64) @ second), rel=1e-12)


def test_bundle_reproduces_its_goldens(
    sparse_encoder: SparseEncoder, sparse_bundle: Bundle
) -> None:
    assert self_test(sparse_encoder, sparse_bundle).min_tau == 1


def test_query_has_a_weight_for_each_of_its_own_tokens_and_no_other(
    sparse_encoder: SparseEncoder,
) -> None:
    (found,) = sparse_encoder.encode(["the cat, the cat"], "query")
    names = {sparse_encoder.names[index] for index in found.indices}
    assert names == {"the", "cat", ","}


def test_passage_has_weights_for_tokens_that_it_does_not_hold(
    sparse_encoder: SparseEncoder,
) -> None:
    (found,) = sparse_encoder.encode(["the cat"], "passage")
    assert len(found.indices) > 4
    assert (found.weights > 0).all()


@pytest.mark.parametrize("input_type", ["query", "passage"])
def test_batch_gives_what_each_text_gives_alone(
    input_type: Any, sparse_encoder: SparseEncoder
) -> None:
    texts = ["the cat sat on the mat", "salt", "bread is made from water, salt and sugar", "?"]
    together = sparse_encoder.encode(texts, input_type)
    for text, vector in zip(texts, together, strict=True):
        (alone,) = sparse_encoder.encode([text], input_type)
        assert alone.indices.tolist() == vector.indices.tolist()
        assert np.abs(alone.weights - vector.weights).max() < 1e-5


def test_queries_and_passages_may_share_a_run(sparse_encoder: SparseEncoder) -> None:
    rows = [
        *sparse_encoder.tokenize(["the cat"], "passage"),
        *sparse_encoder.tokenize(["the cat"], "query"),
    ]
    passage, query = sparse_encoder.run(rows)
    assert isinstance(passage, SparseVector)
    assert len(passage.indices) > len(query.indices) == 2


def test_bundle_of_another_task_is_refused(bi_bundle: Bundle) -> None:
    with pytest.raises(UsageError, match="tiny-bi is for text_embedding"):
        SparseEncoder.load(bi_bundle)


def test_graph_with_other_dimensions_than_the_manifest_is_refused(sparse_bundle: Bundle) -> None:
    manifest = sparse_bundle.manifest
    assert manifest.sparse is not None
    head = manifest.sparse.model_copy(update={"dimensions": 7})
    other = Bundle(
        sparse_bundle.path,
        manifest.model_copy(update={"sparse": head}),
        sparse_bundle.goldens,
    )
    with pytest.raises(InvalidManifest, match=r"manifest\.json says 7"):
        SparseEncoder.load(other, threads=1)
