"""sentence-transformers' poolings as ONNX nodes.

Padding may be on either side. Of several poolings the vectors stand one after another.
"""

from collections.abc import Callable
from dataclasses import dataclass

from onnx_export.adopt.steps import Steps

# As sentence-transformers' Pooling guards its divisions.
MIN_COUNT = 1e-9
# Below every number of a token embedding, and finite, since nought times infinity is no number.
LOWEST = -1e30


@dataclass(frozen=True)
class Rows:
    """`tokens` [batch, length, dimensions], and rows [batch, 1, length] of noughts and ones:
    `pooled` where a token is pooled, `present` where there is one that is not padding.
    """

    tokens: str
    pooled: str
    present: str


def pool(steps: Steps, tokens: str, poolings: str, mask: str = "attention_mask") -> str:
    """[batch, 1, dimensions] of `tokens` [batch, length, dimensions] where `mask` is 1.

    `poolings` are one or several joined by `+`.
    """
    present = pooled = _row(steps, "attention_mask")
    if mask != "attention_mask":
        pooled = _row(steps, mask)
    rows = Rows(steps.floats(tokens), pooled, present)
    vectors = [POOLINGS[name](steps, rows) for name in poolings.split("+")]
    return vectors[0] if len(vectors) == 1 else steps.add("Concat", *vectors, axis=2)


def _row(steps: Steps, mask: str) -> str:
    return steps.add("Reshape", steps.floats(mask), steps.shape(0, 1, -1))


def _mean(steps: Steps, rows: Rows) -> str:
    return steps.add("Div", steps.add("MatMul", rows.pooled, rows.tokens), _count(steps, rows))


def _mean_sqrt_len(steps: Steps, rows: Rows) -> str:
    count = steps.add("Sqrt", _count(steps, rows))
    return steps.add("Div", steps.add("MatMul", rows.pooled, rows.tokens), count)


def _weighted_mean(steps: Steps, rows: Rows) -> str:
    """Weights 1, 2, 3, ... from the first token on, of which a prompt's are left out."""
    weights = steps.add("Mul", rows.pooled, steps.running_sum(rows.present, 2))
    column = steps.add("Reshape", steps.ones_like(rows.pooled), steps.shape(0, -1, 1))
    total = steps.add("Max", steps.add("MatMul", weights, column), steps.number(MIN_COUNT))
    return steps.add("Div", steps.add("MatMul", weights, rows.tokens), total)


def _max(steps: Steps, rows: Rows) -> str:
    column = steps.add("Reshape", rows.pooled, steps.shape(0, -1, 1))
    hidden = steps.add("Mul", steps.add("Sub", column, steps.number(1.0)), steps.number(-LOWEST))
    return steps.largest(steps.add("Add", rows.tokens, hidden), 1)


def _cls(steps: Steps, rows: Rows) -> str:
    """The first token that is pooled: the first of those with the largest mask."""
    return _pick(steps, rows, rows.pooled)


def _last_token(steps: Steps, rows: Rows) -> str:
    """The first place where as many tokens have been counted as there are."""
    return _pick(steps, rows, steps.running_sum(rows.pooled, 2))


def _pick(steps: Steps, rows: Rows, by: str) -> str:
    """The token at the first largest number of `by`, as a product with a row of noughts and a one.

    ArgMax gives the first of equals in every opset.
    """
    place = steps.floats(steps.add("ArgMax", by, axis=2, keepdims=1))
    counted = steps.running_sum(steps.ones_like(rows.pooled), 2)
    places = steps.add("Sub", counted, steps.number(1.0))
    # Whole numbers: their distance is nought at the place and one or more elsewhere.
    distance = steps.add("Abs", steps.add("Sub", places, place))
    one_hot = steps.add("Max", steps.add("Sub", steps.number(1.0), distance), steps.number(0.0))
    return steps.add("MatMul", one_hot, rows.tokens)


def _count(steps: Steps, rows: Rows) -> str:
    """A mask times itself counts its ones."""
    column = steps.add("Reshape", rows.pooled, steps.shape(0, -1, 1))
    return steps.add("Max", steps.add("MatMul", rows.pooled, column), steps.number(MIN_COUNT))


POOLINGS: dict[str, Callable[[Steps, Rows], str]] = {
    "mean": _mean,
    "cls": _cls,
    "max": _max,
    "mean_sqrt_len_tokens": _mean_sqrt_len,
    "weightedmean": _weighted_mean,
    "lasttoken": _last_token,
}
