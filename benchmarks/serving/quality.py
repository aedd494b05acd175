"""What a variant's numbers do to rankings, against another's; pure."""

from collections.abc import Mapping
from statistics import mean

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
TOP = 10


def overlap(reference: Array, scores: Array, top: int = TOP) -> float:
    """The share of the `top` best of `reference` that are among the `top` best of `scores`."""
    best = set(np.argsort(-reference, kind="stable")[:top].tolist())
    found = set(np.argsort(-scores, kind="stable")[:top].tolist())
    return len(best & found) / min(top, len(reference))


def tau(reference: Array, scores: Array) -> float:
    """Kendall's tau-b: pairs in the same order, less those in the other, ties allowed for."""
    upper = np.triu_indices(len(reference), 1)
    first = np.sign(np.subtract.outer(reference, reference))[upper]
    second = np.sign(np.subtract.outer(scores, scores))[upper]
    untied = np.sqrt(np.abs(first).sum() * np.abs(second).sum())
    return float((first * second).sum() / untied) if untied else 1.0


def judge(reference: Mapping[str, Array], found: Mapping[str, Array]) -> dict[str, float]:
    """Means over queries and windows; `moves_by` is the most that company changes a number.

    Both hold `passages`, `alone` (the first passages, one by one), `queries`: vectors; `windows`:
    scores, [windows, passages].
    """
    expected = reference["queries"] @ reference["passages"].T
    computed = found["queries"] @ found["passages"].T
    alone = found["alone"]
    return {
        "bi_overlap": mean(map(overlap, expected, computed)),
        "bi_tau": mean(map(tau, expected, computed)),
        "cross_overlap": mean(map(overlap, reference["windows"], found["windows"])),
        "cross_tau": mean(map(tau, reference["windows"], found["windows"])),
        "moves_by": float(np.abs(alone - found["passages"][: len(alone)]).max()),
        "differs_by": float(np.abs(found["passages"] - reference["passages"]).max()),
    }
