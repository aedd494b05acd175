"""A first pass to rerank: BM25, so that a window is made of passages that a search would find."""

import math
import re
from collections import Counter
from collections.abc import Sequence

# Elasticsearch's defaults.
K1 = 1.2
B = 0.75
WORD = re.compile(r"\w+")


class Bm25:
    """Robertson's BM25 with Lucene's idf, ln(1 + (N - n + 0.5) / (n + 0.5))."""

    def __init__(self, passages: Sequence[str]) -> None:
        self._counts = [Counter(_words(passage)) for passage in passages]
        self._lengths = [counts.total() for counts in self._counts]
        self._mean = sum(self._lengths) / max(1, len(passages))
        self._holders = Counter(word for counts in self._counts for word in counts)

    def window(self, query: str, size: int) -> list[int]:
        """The `size` best passages, best first; equal ones in their own order."""
        weights = {word: self._idf(word) for word in set(_words(query))}
        scores = [self._score(weights, index) for index in range(len(self._counts))]
        return sorted(range(len(scores)), key=lambda index: (-scores[index], index))[:size]

    def _score(self, weights: dict[str, float], index: int) -> float:
        counts = self._counts[index]
        norm = K1 * (1 - B + B * self._lengths[index] / self._mean)
        return sum(
            weight * counts[word] / (counts[word] + norm)
            for word, weight in weights.items()
            if word in counts
        )

    def _idf(self, word: str) -> float:
        holders = self._holders[word]
        return math.log(1 + (len(self._counts) - holders + 0.5) / (holders + 0.5))


def _words(text: str) -> list[str]:
    return WORD.findall(text.lower())
