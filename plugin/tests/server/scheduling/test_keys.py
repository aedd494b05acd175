"""Sequences have one key where a model computes the same for both, and only there."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.runtime import TokenSequence
from bicross.server.models.catalog import ServedModel
from bicross.server.scheduling.keys import key_of

SECRET = b"one model's"


def sequence(ids: list[int], type_ids: list[int] | None = None) -> TokenSequence:
    types = [0] * len(ids) if type_ids is None else type_ids
    return TokenSequence(np.array(ids, np.int32), np.array(types, np.int8), len(ids))


ONE = sequence([1, 2, 3])
tokens = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 1)), max_size=6)


@given(tokens, tokens)
def test_key_is_that_of_the_ids_and_their_types(
    one: list[tuple[int, int]], other: list[tuple[int, int]]
) -> None:
    keys = [
        key_of(sequence([i for i, _ in pairs], [t for _, t in pairs]), SECRET)
        for pairs in (one, other)
    ]
    assert (keys[0] == keys[1]) == (one == other)


def test_text_that_was_cut_has_the_key_of_what_is_left() -> None:
    assert key_of(replace(ONE, full_length=900), SECRET) == key_of(ONE, SECRET)


@pytest.mark.parametrize(
    "changed",
    [
        {"input_type": "query"},
        {"prompt_tokens": 1},
        {"expanded": 1},
        {"expanded": 1, "attends_expanded": False},
    ],
    ids=str,
)
def test_whatever_else_decides_a_row_is_in_its_key(changed: dict[str, Any]) -> None:
    assert key_of(replace(ONE, **changed), SECRET) != key_of(ONE, SECRET)


def test_no_two_models_have_a_key_in_common_though_their_bundle_is_one(
    model: ServedModel,
) -> None:
    again = ServedModel(model.bundle, model.precision)
    assert key_of(ONE, model.secret) != key_of(ONE, again.secret)
    assert repr(model.secret) not in repr(model)
