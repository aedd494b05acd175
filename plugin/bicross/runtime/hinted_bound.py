"""How far an engine may stray that computes in bfloat16, where goldens.json does not say."""

from collections.abc import Iterator

from bicross.bundle.golden import Bound, Goldens
from bicross.runtime.ranking.standards import STANDARDS

# bfloat16 keeps 8 bits of a number; a deep network's sums lose some 16 times that.
BF16_TOLERANCE = 16 / 2**8


def bf16_bound(exact: float, largest: float) -> Bound:
    """What bfloat16 can be expected to keep of a model whose largest number is `largest`, and whose
    float32 may differ by `exact`.
    """
    return Bound(max_abs_diff=max(exact, BF16_TOLERANCE * largest), min_tau=STANDARDS["half"].tau)


def hinted_bound(goldens: Goldens, basis: Bound) -> Bound:
    """From the goldens alone, `basis` being float32's."""
    return bf16_bound(basis.max_abs_diff, max(_numbers(goldens), default=0.0))


def _numbers(goldens: Goldens) -> Iterator[float]:
    """Sizes of what the model gives: late interaction's vectors, not the sums made of them."""
    for weights in (*(goldens.queries_weights or ()), *(goldens.passages_weights or ())):
        yield from weights.weights
    matrices = [goldens.queries_out, goldens.passages_out]
    matrices += [each.vectors for each in goldens.queries_vectors or ()]
    matrices += [each.vectors for each in goldens.passages_vectors or ()]
    if goldens.queries_vectors is None:
        matrices.append(goldens.scores)
    for matrix in matrices:
        if matrix is not None:
            yield from (abs(number) for row in matrix.rows() for number in row)
