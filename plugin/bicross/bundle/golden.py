"""goldens.json: the numbers that a bundle must give again before it may serve.

Eight queries by sixteen passages, with the vectors or logits that the reference gave for them, and
for each precision how far an engine may stray and still rank alike.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, ValidationError, model_validator

from bicross.bundle.matrix import Matrix, Rows
from bicross.bundle.record import Record
from bicross.bundle.token_records import TokenVectors, TokenWeights
from bicross.errors import GoldenMismatch, InvalidManifest

QUERIES = 8
PASSAGES = 16


class Bound(Record):
    """How far a precision may stray from the reference.

    `max_abs_diff` is for one number of an output, `min_tau` (Kendall's tau-b) for the order of the
    passages under any one query.
    """

    max_abs_diff: Annotated[float, Field(gt=0)]
    min_tau: Annotated[float, Field(ge=-1, le=1)]


class Comparison(Record):
    max_abs_diff: float
    min_tau: float

    def require(self, bound: Bound, who: str) -> None:
        """Raises `GoldenMismatch`, naming the figure, unless within `bound`."""
        # Written so that a NaN fails.
        if not self.max_abs_diff <= bound.max_abs_diff:
            raise GoldenMismatch(
                f"{who}: golden outputs differ by {self.max_abs_diff:.3g}, "
                f"allowed is {bound.max_abs_diff:.3g}"
            )
        if not self.min_tau >= bound.min_tau:
            raise GoldenMismatch(
                f"{who}: golden ranking has Kendall tau {self.min_tau:.4f}, "
                f"allowed is {bound.min_tau:.4f} or more"
            )


# What numbers of another shape show: nothing about them can be compared.
OTHER_SHAPE = Comparison.model_construct(max_abs_diff=math.inf, min_tau=-1.0)


class Goldens(Record):
    """Texts and what the reference gave for them.

    `queries_out` and `passages_out` are a bi-encoder's vectors, the `weights` a sparse encoder's,
    the `vectors` those of late interaction; `scores` is the [queries, passages] table of a
    cross-encoder's logits or of late interaction's MaxSim.
    """

    queries: tuple[str, ...]
    passages: tuple[str, ...]
    queries_out: Matrix | None = None
    passages_out: Matrix | None = None
    queries_weights: tuple[TokenWeights, ...] | None = None
    passages_weights: tuple[TokenWeights, ...] | None = None
    queries_vectors: tuple[TokenVectors, ...] | None = None
    passages_vectors: tuple[TokenVectors, ...] | None = None
    scores: Matrix | None = None
    bounds: dict[str, Bound]

    @model_validator(mode="after")
    def numbers_fit_the_texts(self) -> Self:
        vectors = {"queries_out": self.queries, "passages_out": self.passages}
        for name, texts in {**vectors, "scores": self.queries}.items():
            matrix: Matrix | None = getattr(self, name)
            if matrix is not None and len(matrix.rows()) != len(texts):
                raise ValueError(f"{name} has {len(matrix.rows())} rows for {len(texts)} texts")
        if self.scores is not None and self.scores.columns != len(self.passages):
            raise ValueError(f"scores has {self.scores.columns} columns, not one per passage")
        for name in ("weights", "vectors"):
            for side, texts in (("queries", self.queries), ("passages", self.passages)):
                rows = getattr(self, f"{side}_{name}")
                if rows is not None and len(rows) != len(texts):
                    raise ValueError(f"{side}_{name} has {len(rows)} rows for {len(texts)} texts")
        columns = {matrix.columns for matrix in (self.queries_out, self.passages_out) if matrix}
        if len(columns) > 1:
            raise ValueError("queries_out and passages_out have different dimensions")
        return self

    def to_json(self) -> str:
        # A line for each token's id would be most of the file.
        indent = None if self.queries_weights else 1
        return self.model_dump_json(indent=indent, exclude_none=True) + "\n"

    @classmethod
    def parse(cls, text: str | bytes) -> "Goldens":
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "the whole"
            raise InvalidManifest(f"goldens.json, {field}: {first['msg']}") from None

    def compare_vectors(self, queries: Rows, passages: Rows) -> Comparison:
        """Vectors computed here against the reference's; the order is that of their products."""
        if self.queries_out is None or self.passages_out is None:
            raise InvalidManifest("goldens.json holds no vectors")
        reference_q, reference_p = self.queries_out.rows(), self.passages_out.rows()
        diff = max(
            _largest_difference(queries, reference_q), _largest_difference(passages, reference_p)
        )
        if diff == math.inf:
            return OTHER_SHAPE
        tau = smallest_tau(_products(queries, passages), _products(reference_q, reference_p))
        return Comparison.model_construct(max_abs_diff=diff, min_tau=tau)

    def compare_scores(self, scores: Rows) -> Comparison:
        """Logits computed here, [queries, passages], against the reference's."""
        if self.scores is None:
            raise InvalidManifest("goldens.json holds no scores")
        reference = self.scores.rows()
        diff = _largest_difference(scores, reference)
        if diff == math.inf:
            return OTHER_SHAPE
        return Comparison.model_construct(
            max_abs_diff=diff, min_tau=smallest_tau(scores, reference)
        )


def kendall_tau(a: Sequence[float], b: Sequence[float]) -> float:
    """Kendall's tau-b of two scorings of the same things, ties corrected (Kendall 1945).

    1.0 where both are constant, 0.0 where one is.
    """
    agreement = untied_a = untied_b = 0
    for i in range(len(a)):
        for j in range(i):
            sign_a = (a[i] > a[j]) - (a[i] < a[j])
            sign_b = (b[i] > b[j]) - (b[i] < b[j])
            agreement += sign_a * sign_b
            untied_a += sign_a != 0
            untied_b += sign_b != 0
    if not untied_a or not untied_b:
        return 1.0 if untied_a == untied_b else 0.0
    return agreement / math.sqrt(untied_a * untied_b)


def _products(queries: Rows, passages: Rows) -> list[list[float]]:
    return [
        [math.fsum(x * y for x, y in zip(q, p, strict=True)) for p in passages] for q in queries
    ]


def smallest_tau(ours: Rows, reference: Rows) -> float:
    return min(kendall_tau(a, b) for a, b in zip(ours, reference, strict=True))


def _largest_difference(ours: Rows, reference: Rows) -> float:
    """NaN where any number is NaN; infinite where the shapes differ."""
    if [len(row) for row in ours] != [len(row) for row in reference]:
        return math.inf
    worst = 0.0
    for row, reference_row in zip(ours, reference, strict=True):
        for x, y in zip(row, reference_row, strict=True):
            difference = abs(x - y)
            if math.isnan(difference):
                return math.nan
            worst = max(worst, difference)
    return worst
