"""Rows that were computed and may be asked for again: of queries, and of pairs where wanted."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal
from weakref import WeakKeyDictionary

import numpy as np

from bicross.runtime import Row, SparseVector, TokenSequence
from bicross.server.models.catalog import ServedModel
from bicross.server.scheduling.keys import Key
from bicross.server.scheduling.work import Item, Job
from bicross.server.telemetry.metrics import CacheSeries, Metrics

Kind = Literal["query", "score"]

# Beside the numbers: of an entry its key and its place in a table that grows, of an array its head.
ENTRY_BYTES = 280
ARRAY_BYTES = 112


class RowCache:
    """Rows by key, as many as fit into `max_bytes`; the one longest not asked for goes first."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._rows: OrderedDict[Key, Row] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: Key) -> Row | None:
        """Not to be written to."""
        row = self._rows.get(key)
        if row is not None:
            self._rows.move_to_end(key)
        return row

    def put(self, key: Key, row: Row) -> None:
        """Keeps a copy; the first of a key, so that an answer once given stays the same."""
        cost = _cost(row)
        if key in self._rows or cost > self._max_bytes:
            return
        self._rows[key] = _own(row)
        self.bytes += cost
        while self.bytes > self._max_bytes:
            self.bytes -= _cost(self._rows.popitem(last=False)[1])


class Caches:
    """One for each model, gone with it. `max_bytes` is that of each, by kind; 0 for none."""

    def __init__(self, max_bytes: Mapping[Kind, int], metrics: Metrics) -> None:
        self._max_bytes = max_bytes
        self._metrics = metrics
        self._caches: WeakKeyDictionary[ServedModel, RowCache] = WeakKeyDictionary()

    def recall(self, job: Job) -> None:
        """Gives `job` what is known of it."""
        order = job.order
        kind = self._kind(order.model, order.sequences[0])
        if kind is None:
            return
        cache = self._of(order.model, kind)
        found = {key: row for key in job.places if (row := cache.get(key)) is not None}
        hits = sum(job.give(key, row) for key, row in found.items())
        job.spare(found.keys())
        series = self._series(order.model, kind)
        series.cache_hits.inc(hits)
        series.cache_misses.inc(len(order.sequences) - hits)

    def keep(self, model: ServedModel, computed: Sequence[tuple[Item, Row]]) -> None:
        """The rows of one run, whose lane makes them all queries or all passages."""
        kind = self._kind(model, computed[0][0].sequence)
        if kind is None:
            return
        cache = self._of(model, kind)
        for item, row in computed:
            cache.put(item.key, row)
        self._series(model, kind).cache_bytes.set(cache.bytes)

    def _kind(self, model: ServedModel, sequence: TokenSequence) -> Kind | None:
        """None where such rows are not kept."""
        kind: Kind = "score" if model.manifest.task == "rerank" else "query"
        wanted = kind == "score" or sequence.input_type == "query"
        return kind if wanted and self._max_bytes[kind] else None

    def _of(self, model: ServedModel, kind: Kind) -> RowCache:
        cache = self._caches.get(model)
        if cache is None:
            cache = self._caches[model] = RowCache(self._max_bytes[kind])
        return cache

    def _series(self, model: ServedModel, kind: Kind) -> CacheSeries:
        return self._metrics.of_cache(model.label, kind)


def read_only(row: Row) -> Row:
    """`row` itself, which several requests may be given."""
    for array in _arrays(row):
        array.setflags(write=False)
    return row


def _own(row: Row) -> Row:
    """A copy, which keeps no batch alive."""
    if isinstance(row, SparseVector):
        return read_only(replace(row, indices=row.indices.copy(), weights=row.weights.copy()))
    return read_only(row.copy())


def _cost(row: Row) -> int:
    """Bytes of an entry that holds `row`, as its own copy."""
    return ENTRY_BYTES + sum(ARRAY_BYTES + array.nbytes for array in _arrays(row))


def _arrays(row: Row) -> list[np.ndarray]:
    """None for a score, which is a number."""
    if isinstance(row, SparseVector):
        return [row.indices, row.weights]
    return [row] if isinstance(row, np.ndarray) else []
