"""Scores as plugin/protocol/scores.json has them, and in the order that the logits have."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.errors import ModelFailed
from bicross.runtime import combine_labels, hit_score, relevance_score

TABLE: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "protocol" / "scores.json").read_text()
)
logits = st.floats(allow_nan=False, allow_infinity=False, width=32)


@pytest.mark.parametrize("row", TABLE["hit_score"], ids=lambda row: str(row["logit"]))
def test_hit_score_has_the_exact_value_of_the_shared_table(row: dict[str, float]) -> None:
    assert hit_score(row["logit"]) == row["hit_score"]


@pytest.mark.parametrize("text", TABLE["not_finite"])
def test_hit_score_refuses_what_is_not_finite(text: str) -> None:
    with pytest.raises(ModelFailed, match="finite"):
        hit_score(float(text))


@pytest.mark.parametrize(
    "row",
    TABLE["relevance"],
    ids=lambda row: f"{row['activation']}-{row['relevance_label']}-{row['logits']}",
)
def test_head_outputs_become_the_table_s_logit_and_relevance(row: dict[str, Any]) -> None:
    (logit,) = combine_labels(np.array([row["logits"]], np.float32), row["relevance_label"])
    assert logit == pytest.approx(row["logit"], rel=1e-6)
    relevance = relevance_score(float(logit), row["activation"])
    assert relevance == pytest.approx(row["relevance_score"], rel=1e-5)


@given(st.lists(logits, min_size=2, max_size=20))
def test_hit_score_never_turns_an_order_round(values: list[float]) -> None:
    mapped = [hit_score(value) for value in sorted(values)]
    assert mapped == sorted(mapped)
    assert all(np.isfinite(score) and score >= 0 for score in mapped)


@given(logits)
def test_hit_score_is_a_float32(value: float) -> None:
    assert float(np.float32(hit_score(value))) == hit_score(value)


@given(st.lists(st.floats(-1e3, 1e3, width=32), min_size=2, max_size=6), st.data())
def test_several_labels_give_the_log_odds_of_a_softmax(
    row: list[float], data: st.DataObject
) -> None:
    label = data.draw(st.integers(0, len(row) - 1))
    (logit,) = combine_labels(np.array([row], np.float32), label)
    exponentials = np.exp(np.array(row) - max(row))
    probability = exponentials[label] / exponentials.sum()
    assert relevance_score(float(logit), "softmax") == pytest.approx(probability, abs=1e-4)


@given(logits, logits)
def test_relevance_keeps_the_order_of_logits(a: float, b: float) -> None:
    low, high = sorted([a, b])
    assert relevance_score(low, "sigmoid") <= relevance_score(high, "sigmoid")
