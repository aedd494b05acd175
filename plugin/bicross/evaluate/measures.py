"""Rankings and judgements to values per query. Pure: no cluster, no file, no clock."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

import ir_measures
from ir_measures import Measure, R, nDCG

Qrels = Mapping[str, Mapping[str, int]]
Ranking = Mapping[str, Sequence[str]]

NDCG_10 = nDCG @ 10
RECALL_100 = R @ 100
MEASURES: tuple[Measure, ...] = (NDCG_10, RECALL_100)


def per_query(measure: Measure, qrels: Qrels, ranking: Ranking) -> dict[str, float]:
    """A value for every judged query, 0 where the ranking lacks it.

    The order of each ranking is the measure's order: trec_eval would re-sort equal scores by
    document id, so ranks are handed over as scores. Grades of 1 and more are relevant; gains are
    the grades themselves, as trec_eval has them.
    """
    run = {
        query: {document: float(-rank) for rank, document in enumerate(documents)}
        for query, documents in ranking.items()
        if query in qrels
    }
    values = dict.fromkeys(qrels, 0.0)
    judged = {query: dict(grades) for query, grades in qrels.items()}
    for metric in ir_measures.iter_calc([measure], judged, run):
        values[metric.query_id] = float(metric.value)
    return values


def mean(values: Mapping[str, float]) -> float:
    """NaN without a query."""
    return fmean(values.values()) if values else math.nan


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` per cent of `values` or more do not exceed; NaN of none."""
    if not values:
        return math.nan
    rank = math.ceil(percent / 100 * len(values))
    return sorted(values)[max(rank, 1) - 1]
