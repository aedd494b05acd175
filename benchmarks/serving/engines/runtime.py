"""bicross' own runtime on any engine, in the order and the batches that it would choose."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.serving.engines.engine import Load, Numbers
from bicross.bundle import open_bundle
from bicross.runtime import BiEncoder, CrossEncoder, Execution, TokenSequence, plan_batches


class Runtime:
    """Length-sorted batches of at most `token_budget` padded tokens, `streams` of them at once."""

    def __init__(self, load: Load) -> None:
        asked = load.options
        self._budget: int = asked["token_budget"]
        execution = Execution(asked["engine"], asked["precision"], load.threads, asked["streams"])
        self._bi = BiEncoder.open(open_bundle(load.bi.bundle), execution)
        self._cross = CrossEncoder.open(open_bundle(load.cross.bundle), execution)
        self._streams = ThreadPoolExecutor(execution.streams)

    def encode(self, texts: Sequence[str]) -> Numbers:
        rows = self._bi.tokenize(texts, "passage")
        return self._run(self._bi, rows, np.empty((len(rows), self._bi.dimensions), np.float32))

    def score(self, query: str, passages: Sequence[str]) -> Numbers:
        rows = self._cross.tokenize(query, passages)
        return self._run(self._cross, rows, np.empty(len(rows), np.float32))

    def _run(
        self, encoder: BiEncoder | CrossEncoder, rows: Sequence[TokenSequence], result: Numbers
    ) -> Numbers:
        def run(batch: list[int]) -> None:
            result[batch] = encoder.run([rows[index] for index in batch])

        lengths = [row.length for row in rows]
        list(self._streams.map(run, plan_batches(lengths, self._budget)))
        return result


engine = Runtime
