"""Golden outputs that are no plain vectors: token weights, and a few of a text's token vectors.

Both are kept small: of a row's weights the largest, of a text's vectors some, spread evenly.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from bicross.bundle.matrix import Matrix, Rows
from bicross.bundle.record import Record, TokenId

KEPT_WEIGHTS = 64
KEPT_VECTORS = 8
Weight = Annotated[float, Field(gt=0)]


class TokenWeights(Record):
    """The largest weights of one text, by token id; none that was left out is above `rest`."""

    ids: tuple[TokenId, ...]
    weights: tuple[Weight, ...]
    rest: Annotated[float, Field(ge=0)] = 0.0

    @model_validator(mode="after")
    def one_weight_per_token(self) -> Self:
        if len(set(self.ids)) != len(self.ids) or len(self.ids) != len(self.weights):
            raise ValueError(f"{len(self.ids)} ids and {len(self.weights)} weights, or an id twice")
        return self

    @classmethod
    def of(cls, weights: Mapping[int, float]) -> Self:
        """Of each weight nine digits, which tell every float32 from its neighbours."""
        ranked = sorted(weights, key=lambda token: (-weights[token], token))
        kept, left = sorted(ranked[:KEPT_WEIGHTS]), ranked[KEPT_WEIGHTS:]
        return cls(
            ids=tuple(kept),
            weights=tuple(_short(weights[token]) for token in kept),
            rest=_short(weights[left[0]]) if left else 0.0,
        )

    @property
    def by_id(self) -> dict[int, float]:
        return dict(zip(self.ids, self.weights, strict=True))

    def differences(self, weights: Mapping[int, float]) -> Iterable[float]:
        """Of each kept weight, and how far any other stands above `rest`."""
        known = self.by_id
        for token, weight in known.items():
            yield abs(weights.get(token, 0.0) - weight)
        for token in weights.keys() - known.keys():
            yield max(0.0, weights[token] - self.rest)


class TokenVectors(Record):
    """How many vectors one text has, and those at `sampled_rows(tokens)`."""

    tokens: Annotated[int, Field(ge=1)]
    vectors: Matrix

    @model_validator(mode="after")
    def holds_the_sampled_rows(self) -> Self:
        found = len(self.vectors.rows())
        if found != len(sampled_rows(self.tokens)):
            raise ValueError(f"{found} vectors of {self.tokens} tokens")
        return self

    @classmethod
    def of(cls, rows: Rows) -> Self:
        sampled = [rows[index] for index in sampled_rows(len(rows))]
        return cls(tokens=len(rows), vectors=Matrix.of(sampled))

    def differences(self, rows: Rows) -> Iterable[float]:
        """Infinite where the number of tokens or of dimensions is another."""
        if len(rows) != self.tokens or len(rows[0]) != self.vectors.columns:
            yield float("inf")
            return
        for index, vector in zip(sampled_rows(self.tokens), self.vectors.rows(), strict=True):
            yield from (abs(x - y) for x, y in zip(rows[index], vector, strict=True))


def sampled_rows(tokens: int) -> list[int]:
    """At most 8 of `tokens` rows, the first and the last among them."""
    if tokens <= KEPT_VECTORS:
        return list(range(tokens))
    return [index * (tokens - 1) // (KEPT_VECTORS - 1) for index in range(KEPT_VECTORS)]


def _short(value: float) -> float:
    return float(f"{value:.9g}")
