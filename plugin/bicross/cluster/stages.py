"""The first pass and the reranked order of one query, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Hit:
    id: str
    score: float
    source: dict[str, Any] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        return {"id": self.id, "score": self.score, "source": self.source}


@dataclass(frozen=True)
class RankChange:
    """One hit of either order. Ranks count from 1; None where the hit is not in that order."""

    hit: Hit
    first_rank: int | None
    second_rank: int | None
    first_score: float | None

    @property
    def rise(self) -> int | None:
        """Places gained by reranking, negative where lost."""
        if self.first_rank is None or self.second_rank is None:
            return None
        return self.first_rank - self.second_rank


def parse_hits(answer: Mapping[str, Any]) -> list[Hit]:
    return [
        Hit(str(hit["_id"]), float(hit["_score"]), hit.get("_source", {}))
        for hit in answer["hits"]["hits"]
    ]


def among_the_first(changes: Sequence[RankChange], size: int) -> list[RankChange]:
    """What either order has among its first `size`."""
    return [
        change
        for change in changes
        if (change.second_rank or size + 1) <= size or (change.first_rank or size + 1) <= size
    ]


def rank_changes(first: Sequence[Hit], second: Sequence[Hit]) -> list[RankChange]:
    """Every hit of `second` in its order, then those of `first` that reranking left out."""
    first_ranks = {hit.id: rank for rank, hit in enumerate(first, start=1)}
    first_scores = {hit.id: hit.score for hit in first}
    changes = [
        RankChange(hit, first_ranks.get(hit.id), rank, first_scores.get(hit.id))
        for rank, hit in enumerate(second, start=1)
    ]
    reranked = {hit.id for hit in second}
    return changes + [
        RankChange(hit, rank, None, hit.score)
        for rank, hit in enumerate(first, start=1)
        if hit.id not in reranked
    ]
