"""Texts to one vector per token: expansion is kept, padding and skipped tokens are not."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.bundle import Bundle
from bicross.errors import UsageError
from bicross.runtime import LateInteractionEncoder, maxsim, self_test

MATRIX = st.lists(
    st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=3), min_size=1, max_size=5
)


def array(rows: list[list[float]]) -> Any:
    return np.array(rows, np.float32)


@given(MATRIX, MATRIX)
def test_maxsim_sums_each_query_token_s_best_product(
    query: list[list[float]], passage: list[list[float]]
) -> None:
    expected = sum(
        max(sum(x * y for x, y in zip(q, p, strict=True)) for p in passage) for q in query
    )
    found = maxsim([array(query)], [array(passage)])
    assert found[0, 0] == pytest.approx(expected, abs=1e-9)


def test_passage_without_tokens_scores_nought() -> None:
    assert maxsim([array([[1, 0, 0]])], [np.zeros((0, 3), np.float32)])[0, 0] == 0


def test_bundle_reproduces_its_goldens(
    late_encoder: LateInteractionEncoder, late_bundle: Bundle
) -> None:
    assert self_test(late_encoder, late_bundle).min_tau == 1


@pytest.mark.parametrize("query", ["cat", "where does the cat sit", "cat " * 40])
def test_query_always_has_as_many_vectors_as_its_expansion(
    query: str, late_encoder: LateInteractionEncoder
) -> None:
    (found,) = late_encoder.encode([query], "query")
    assert found.shape == (16, 12)


def test_passage_has_a_vector_for_each_token_but_punctuation(
    late_encoder: LateInteractionEncoder,
) -> None:
    # [CLS] passage : ... [SEP], where the colon is unknown.
    (plain, marked) = late_encoder.encode(["the cat sat", "the cat, sat."], "passage")
    assert plain.shape == marked.shape == (7, 12)
    assert np.abs(plain - marked).max() > 0.01


def test_vectors_have_unit_length(late_encoder: LateInteractionEncoder) -> None:
    (found,) = late_encoder.encode(["the cat sat on the mat"], "passage")
    assert np.abs(np.linalg.norm(found, axis=1) - 1).max() < 1e-5


@pytest.mark.parametrize("input_type", ["query", "passage"])
def test_batch_gives_what_each_text_gives_alone(
    input_type: Any, late_encoder: LateInteractionEncoder
) -> None:
    texts = ["the cat sat on the mat", "salt", "bread is made from water, salt and sugar", "?"]
    together = late_encoder.encode(texts, input_type)
    for text, rows in zip(texts, together, strict=True):
        (alone,) = late_encoder.encode([text], input_type)
        assert alone.shape == rows.shape
        assert np.abs(alone - rows).max() < 1e-5


def test_rows_padded_on_the_left_give_their_own_end(late_bundle: Bundle) -> None:
    left = replace(
        late_bundle, manifest=late_bundle.manifest.model_copy(update={"padding_side": "left"})
    )
    encoder = LateInteractionEncoder.load(left, threads=1)
    (row,) = encoder.tokenize(["the cat"], "passage")
    numbered = np.arange(30, dtype=np.float32).reshape(10, 3)
    assert encoder._own_rows(numbered, row).tolist() == numbered[-row.length :].tolist()


def test_bundle_of_another_task_is_refused(bi_bundle: Bundle) -> None:
    with pytest.raises(UsageError, match="tiny-bi is for text_embedding"):
        LateInteractionEncoder.load(bi_bundle)
