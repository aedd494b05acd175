"""Does a pair rank the sample as the float32 graph does in onnxruntime?"""

from dataclasses import dataclass

import numpy as np

from bicross.runtime import BiEncoder, CrossEncoder, Encoder, LateInteractionEncoder, maxsim
from bicross.runtime.ranking.figures import Numbers, overlaps, smallest_cosine, taus
from bicross.runtime.ranking.samples import Sample
from bicross.runtime.ranking.standards import STANDARDS, Standard, error_class
from bicross.runtime.ranking.statistics import lowest_mean, lowest_share

TOP = 10


@dataclass(frozen=True)
class Answers:
    """`scores` are [queries, passages]; `vectors` are a bi-encoder's, queries first."""

    scores: Numbers
    vectors: Numbers | None = None


@dataclass(frozen=True)
class Agreement:
    """Means over queries and their lower 95 % bounds, and the worst of each.

    `reason` says why the pair may not be chosen, and is empty where it may.
    """

    tau: float
    overlap: float
    lowest_tau: float
    lowest_overlap: float
    min_tau: float
    min_overlap: float
    min_cosine: float | None
    reason: str = ""


def answer(encoder: Encoder, sample: Sample) -> Answers:
    """What `encoder` gives for every query of `sample` with every passage."""
    if isinstance(encoder, CrossEncoder):
        return Answers(
            np.array([encoder.score(query, sample.passages) for query in sample.queries])
        )
    if isinstance(encoder, BiEncoder):
        queries = encoder.encode(sample.queries, "query").astype(np.float64)
        passages = encoder.encode(sample.passages, "passage").astype(np.float64)
        return Answers(queries @ passages.T, np.concatenate([queries, passages]))
    if isinstance(encoder, LateInteractionEncoder):
        rows = encoder.encode(sample.queries, "query"), encoder.encode(sample.passages, "passage")
        return Answers(maxsim(*rows))
    weights = [each.as_dict() for each in encoder.encode(sample.passages, "passage")]
    asked = [each.as_dict() for each in encoder.encode(sample.queries, "query")]
    dots = [[sum(w * p.get(t, 0.0) for t, w in q.items()) for p in weights] for q in asked]
    return Answers(np.array(dots))


def compare(ours: Answers, reference: Answers, precision: str) -> Agreement:
    """By the standard of `precision`; float32 of another engine is held to float16's at least."""
    tau = taus(ours.scores, reference.scores)
    overlap = overlaps(ours.scores, reference.scores, TOP, 0.0)
    top = min(TOP, ours.scores.shape[1])
    cosine = None
    if ours.vectors is not None and reference.vectors is not None:
        cosine = smallest_cosine(ours.vectors, reference.vectors)
    found = Agreement(
        tau=float(tau.mean()),
        overlap=float(overlap.mean()),
        lowest_tau=lowest_mean(tau),
        lowest_overlap=lowest_share(float(overlap.sum()) * top, top * len(overlap)),
        min_tau=float(tau.min()),
        min_overlap=float(overlap.min()),
        min_cosine=cosine,
    )
    return Agreement(**{**vars(found), "reason": _reason(found, STANDARDS[error_class(precision)])})


def _reason(found: Agreement, standard: Standard) -> str:
    """The first figure that falls short."""
    asked = [
        ("mean Kendall tau, lower 95 %", found.lowest_tau, standard.mean_tau),
        ("mean top-10 overlap, lower 95 %", found.lowest_overlap, standard.mean_overlap),
        ("least Kendall tau", found.min_tau, standard.tau),
        ("least top-10 overlap", found.min_overlap, standard.overlap),
    ]
    if found.min_cosine is not None:
        asked.append(("least cosine", found.min_cosine, standard.cosine))
    for name, value, bound in asked:
        # Written so that a NaN fails.
        if not value >= bound:
            return f"{name} {value:.4g}, below {bound:g}"
    return ""
