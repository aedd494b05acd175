"""Token weights and token vectors are held to the goldens in number and in order."""

import math

import pytest

from bicross.bundle import Bound, Goldens
from bicross.bundle.matrix import Matrix
from bicross.bundle.token_comparison import compare_token_vectors, compare_weights
from bicross.bundle.token_records import TokenVectors, TokenWeights
from bicross.errors import InvalidManifest

BOUNDS = {"fp32": Bound(max_abs_diff=1e-4, min_tau=0.9)}
QUERIES = [{1: 1.0, 2: 0.5}]
PASSAGES = [{1: 2.0}, {2: 1.0, 3: 4.0}, {3: 1.0}]
QUERY_VECTORS = [[[1.0, 0.0], [0.0, 1.0]]]
PASSAGE_VECTORS = [[[1.0, 0.0]], [[0.0, 1.0], [0.75, 0.5]], [[0.0, 0.5]]]
MAXSIM = [[1.0, 1.75, 0.5]]


def sparse_goldens() -> Goldens:
    return Goldens(
        queries=("q",),
        passages=("a", "b", "c"),
        queries_weights=tuple(map(TokenWeights.of, QUERIES)),
        passages_weights=tuple(map(TokenWeights.of, PASSAGES)),
        bounds=BOUNDS,
    )


def late_goldens() -> Goldens:
    return Goldens(
        queries=("q",),
        passages=("a", "b", "c"),
        queries_vectors=tuple(map(TokenVectors.of, QUERY_VECTORS)),
        passages_vectors=tuple(map(TokenVectors.of, PASSAGE_VECTORS)),
        scores=Matrix.of(MAXSIM),
        bounds=BOUNDS,
    )


@pytest.mark.parametrize("goldens", [sparse_goldens(), late_goldens()], ids=["sparse", "late"])
def test_written_goldens_read_as_the_same(goldens: Goldens) -> None:
    assert Goldens.parse(goldens.to_json()) == goldens


def test_same_weights_agree_wholly() -> None:
    found = compare_weights(sparse_goldens(), QUERIES, PASSAGES)
    assert (found.max_abs_diff, found.min_tau) == (0, 1)


def test_weight_that_changes_an_order_shows_in_both_figures() -> None:
    changed = [{1: 0.1}, {2: 1.0, 3: 4.0}, {3: 1.0}]
    found = compare_weights(sparse_goldens(), QUERIES, changed)
    assert found.max_abs_diff == pytest.approx(1.9)
    assert found.min_tau < 1


def test_weight_that_is_no_number_fails_every_bound() -> None:
    found = compare_weights(sparse_goldens(), [{1: math.nan}], PASSAGES)
    assert math.isnan(found.max_abs_diff)


def test_same_vectors_agree_wholly() -> None:
    found = compare_token_vectors(late_goldens(), QUERY_VECTORS, PASSAGE_VECTORS, MAXSIM)
    assert (found.max_abs_diff, found.min_tau) == (0, 1)


def test_missing_token_leaves_nothing_to_compare() -> None:
    fewer = [PASSAGE_VECTORS[0], PASSAGE_VECTORS[1][:1], PASSAGE_VECTORS[2]]
    found = compare_token_vectors(late_goldens(), QUERY_VECTORS, fewer, MAXSIM)
    assert (found.max_abs_diff, found.min_tau) == (math.inf, -1)


def test_scores_in_another_order_show_in_tau() -> None:
    scores = [[1.75, 1.0, 0.5]]
    found = compare_token_vectors(late_goldens(), QUERY_VECTORS, PASSAGE_VECTORS, scores)
    assert found.max_abs_diff == 0
    assert found.min_tau < 1


def test_goldens_of_another_kind_are_refused_with_a_remedy() -> None:
    with pytest.raises(InvalidManifest, match="holds no token weights; export again"):
        compare_weights(late_goldens(), QUERIES, PASSAGES)
    with pytest.raises(InvalidManifest, match="holds no token vectors; export again"):
        compare_token_vectors(sparse_goldens(), QUERY_VECTORS, PASSAGE_VECTORS, MAXSIM)


def test_rows_that_are_not_one_per_text_are_refused() -> None:
    raw = sparse_goldens().model_dump() | {"passages": ("a", "b")}
    with pytest.raises(ValueError, match="passages_weights has 3 rows for 2 texts"):
        Goldens.model_validate(raw)
