"""bicross' own runtime, in the order and the batches that it would choose."""

from collections.abc import Sequence

import numpy as np

from benchmarks.serving.engines.engine import Load, Numbers
from bicross.bundle import open_bundle
from bicross.runtime import BiEncoder, CrossEncoder, plan_batches


class Runtime:
    """Length-sorted batches of at most `token_budget` padded tokens."""

    def __init__(self, load: Load) -> None:
        precision = load.options["precision"]
        self._budget: int = load.options["token_budget"]
        self._bi = BiEncoder.load(open_bundle(load.bi_bundle), precision, load.threads)
        self._cross = CrossEncoder.load(open_bundle(load.cross_bundle), precision, load.threads)

    def encode(self, texts: Sequence[str]) -> Numbers:
        rows = self._bi.tokenize(texts, "passage")
        vectors = np.empty((len(rows), self._bi.dimensions), np.float32)
        for batch in plan_batches([row.length for row in rows], self._budget):
            vectors[batch] = self._bi.run([rows[index] for index in batch])
        return vectors

    def score(self, query: str, passages: Sequence[str]) -> Numbers:
        rows = self._cross.tokenize(query, passages)
        logits = np.empty(len(rows), np.float32)
        for batch in plan_batches([row.length for row in rows], self._budget):
            logits[batch] = self._cross.run([rows[index] for index in batch])
        return logits


engine = Runtime
