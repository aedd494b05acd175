import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.bundle import Bound, Comparison, Goldens
from bicross.bundle.golden import kendall_tau
from bicross.bundle.matrix import Matrix
from bicross.errors import GoldenMismatch, InvalidManifest, ManifestError

FLOATS = st.floats(-1e6, 1e6, width=32)
MATRICES = st.integers(1, 5).flatmap(
    lambda columns: st.lists(
        st.lists(FLOATS, min_size=columns, max_size=columns), min_size=1, max_size=5
    )
)
BOUND = Bound(max_abs_diff=1e-4, min_tau=0.9)
VECTORS = [[1.0, 0.0], [0.0, 1.0], [0.5, 0.75]]


def rerank_goldens() -> Goldens:
    return Goldens(
        queries=("q",),
        passages=("a", "b", "c"),
        scores=Matrix.of([[3.0, 2.0, 1.0]]),
        bounds={"fp32": BOUND},
    )


def embedding_goldens() -> Goldens:
    return Goldens(
        queries=("q",),
        passages=("a", "b", "c"),
        queries_out=Matrix.of([[1.0, 0.0]]),
        passages_out=Matrix.of(VECTORS),
        bounds={"fp32": BOUND},
    )


@given(MATRICES)
def test_matrix_keeps_every_float32(rows: list[list[float]]) -> None:
    assert Matrix.of(rows).rows() == rows


@given(st.binary(max_size=400))
def test_any_bytes_raise_nothing_but_manifest_errors(text: bytes) -> None:
    with pytest.raises(ManifestError):
        Goldens.parse(text)


@given(st.data())
def test_mutated_goldens_raise_nothing_but_manifest_errors(data: st.DataObject) -> None:
    text = bytearray(rerank_goldens().to_json().encode())
    start = data.draw(st.integers(0, len(text) - 1))
    text[start : start + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    try:
        goldens = Goldens.parse(bytes(text))
        goldens.compare_scores([[3.0, 2.0, 1.0]])
    except ManifestError:
        return
    assert Goldens.parse(goldens.to_json()) == goldens


def test_written_goldens_read_as_the_same() -> None:
    for goldens in (rerank_goldens(), embedding_goldens()):
        assert Goldens.parse(goldens.to_json()) == goldens


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": {"columns": 3, "base64": "!"}}, "base64"),
        ({"scores": {"columns": 3, "base64": "AAAA"}}, "3 bytes are no rows"),
        ({"scores": {"columns": 3, "base64": ""}}, "0 bytes are no rows"),
        ({"scores": Matrix.of([[1.0, 2.0]]).model_dump()}, "2 columns, not one per passage"),
        ({"scores": Matrix.of([[1.0, 2.0, 3.0]] * 2).model_dump()}, "2 rows for 1 texts"),
        ({"queries_out": Matrix.of([[1.0]] * 3).model_dump()}, "queries_out has 3 rows"),
    ],
)
def test_numbers_that_do_not_fit_the_texts_are_refused(
    change: dict[str, object], message: str
) -> None:
    raw = rerank_goldens().model_dump(mode="json", exclude_none=True) | change
    with pytest.raises(InvalidManifest, match=rf"goldens\.json, .*{message}"):
        Goldens.parse(json.dumps(raw))


def test_same_numbers_agree_wholly() -> None:
    found = rerank_goldens().compare_scores([[3.0, 2.0, 1.0]])
    assert (found.max_abs_diff, found.min_tau) == (0.0, 1.0)
    found = embedding_goldens().compare_vectors([[1.0, 0.0]], VECTORS)
    assert (found.max_abs_diff, found.min_tau) == (0.0, 1.0)


def test_swapped_order_lowers_tau() -> None:
    found = rerank_goldens().compare_scores([[2.0, 3.0, 1.0]])
    assert found.max_abs_diff == 1.0
    assert math.isclose(found.min_tau, 1 / 3)


def test_vectors_are_ranked_by_their_products() -> None:
    found = embedding_goldens().compare_vectors([[0.0, 1.0]], VECTORS)
    assert found.min_tau < 0


@pytest.mark.parametrize(
    "scores",
    [
        [[3.0, 2.0]],
        [[3.0, 2.0, 1.0], [1.0, 2.0, 3.0]],
        [],
        [[math.nan, 2.0, 1.0]],
        [[math.inf, 2.0, 1.0]],
    ],
    ids=["too few passages", "too many queries", "nothing", "nan", "infinite"],
)
def test_other_shapes_and_not_numbers_never_pass(scores: list[list[float]]) -> None:
    with pytest.raises(GoldenMismatch):
        rerank_goldens().compare_scores(scores).require(BOUND, "mine")


@pytest.mark.parametrize(
    ("difference", "tau", "message"),
    [
        (2e-4, 1.0, r"golden outputs differ by 0\.0002, allowed is 0\.0001"),
        (math.nan, 1.0, "golden outputs differ by nan"),
        (0.0, 0.5, r"Kendall tau 0\.5000, allowed is 0\.9000"),
        (0.0, math.nan, "Kendall tau nan"),
    ],
)
def test_figure_beyond_its_bound_is_named(difference: float, tau: float, message: str) -> None:
    found = Comparison.model_construct(max_abs_diff=difference, min_tau=tau)
    with pytest.raises(GoldenMismatch, match=f"bundle mine, fp32: .*{message}"):
        found.require(BOUND, "bundle mine, fp32")


def test_figures_at_their_bounds_pass() -> None:
    Comparison(max_abs_diff=1e-4, min_tau=0.9).require(BOUND, "mine")


def test_goldens_of_the_other_task_are_refused() -> None:
    with pytest.raises(InvalidManifest, match="holds no vectors"):
        rerank_goldens().compare_vectors([[1.0]], [[1.0]])
    with pytest.raises(InvalidManifest, match="holds no scores"):
        embedding_goldens().compare_scores([[1.0]])


@given(st.lists(FLOATS, min_size=2, max_size=12))
def test_tau_of_a_ranking_with_itself_is_one_and_with_its_reverse_minus_one(
    scores: list[float],
) -> None:
    distinct = list(dict.fromkeys(scores))
    assert kendall_tau(scores, scores) == pytest.approx(1.0)
    if len(distinct) > 1:
        assert kendall_tau(distinct, [-score for score in distinct]) == -1.0


@pytest.mark.parametrize(
    ("a", "b", "tau"),
    [
        ([1, 2, 3, 4], [1, 3, 2, 4], 4 / 6),
        ([1, 1, 2], [1, 2, 3], 2 / math.sqrt(6)),
        ([1, 1, 1], [2, 2, 2], 1.0),
        ([1, 1, 1], [1, 2, 3], 0.0),
    ],
)
def test_tau_is_kendalls_tau_b(a: list[float], b: list[float], tau: float) -> None:
    assert kendall_tau(a, b) == pytest.approx(tau)
