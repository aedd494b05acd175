"""What was computed once is given again as it was, within the bytes allowed, by its model alone."""

import gc
import tracemalloc
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from bicross.bundle import Bundle
from bicross.runtime import Row, SparseVector
from bicross.server.models.catalog import Catalog, ServedModel
from bicross.server.scheduling.caches import RowCache
from bicross.server.scheduling.keys import KEY_BYTES
from bicross.server.scheduling.lane import Lane


def key(number: int) -> bytes:
    return number.to_bytes(KEY_BYTES, "big")


def sparse(count: int) -> SparseVector:
    return SparseVector(np.arange(count, dtype=np.int32), np.ones(count, np.float32))


rows = st.one_of(
    st.integers(0, 300).map(lambda n: np.zeros(n, np.float32)),
    st.integers(1, 9).map(lambda n: np.zeros((n, 16), np.float32)),
    st.integers(0, 100).map(sparse),
    st.floats(width=32, allow_nan=False).map(np.float32),
)


@given(st.integers(0, 5000), st.lists(st.tuples(st.integers(0, 20), rows)))
def test_cache_is_never_beyond_its_bytes(max_bytes: int, puts: list[tuple[int, Row]]) -> None:
    cache = RowCache(max_bytes)
    for number, row in puts:
        cache.put(key(number), row)
        assert 0 <= cache.bytes <= max_bytes
        assert (cache.bytes == 0) == (len(cache) == 0)


@pytest.mark.parametrize(
    "row", [np.zeros(384, np.float32), sparse(100), np.float32(1)], ids=["dense", "sparse", "score"]
)
def test_bytes_are_those_that_the_process_gives(row: Any) -> None:
    cache = RowCache(1 << 20)
    gc.collect()
    tracemalloc.start()
    for number in range(20_000):
        cache.put(key(number), row)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken <= 1 << 20


def test_row_longest_not_asked_for_goes_first() -> None:
    probe = RowCache(1 << 20)
    probe.put(key(0), np.zeros(8, np.float32))
    cache = RowCache(2 * probe.bytes)
    for number in (1, 2):
        cache.put(key(number), np.zeros(8, np.float32))
    assert cache.get(key(1)) is not None
    cache.put(key(3), np.zeros(8, np.float32))
    assert [cache.get(key(number)) is not None for number in (1, 2, 3)] == [True, False, True]


def test_row_is_a_copy_that_stays_the_first_and_is_not_written_to() -> None:
    cache, batch = RowCache(1 << 20), np.ones((64, 384), np.float32)
    cache.put(key(1), batch[0])
    batch[:] = 2
    cache.put(key(1), batch[1])
    kept = cache.get(key(1))
    assert isinstance(kept, np.ndarray)
    assert kept.base is None
    assert set(kept.tolist()) == {1.0}
    assert not kept.flags.writeable


async def test_query_that_is_known_waits_for_no_model(bench: Any) -> None:
    bench.gate.opened.set()
    first = await bench.submit("the cat", lane=Lane.SEARCH, input_type="query").answer
    bench.gate.opened.clear()
    again = bench.submit("the cat", "the cat", lane=Lane.SEARCH, input_type="query")
    assert again.answer.done()
    assert all(np.array_equal(row, first[0]) for row in again.answer.result().values())
    assert list(again.answer.result()) == [0, 1]


async def test_of_a_request_only_what_is_not_known_is_computed(bench: Any) -> None:
    bench.gate.opened.set()
    query: dict[str, Any] = {"lane": Lane.SEARCH, "input_type": "query"}
    (cat,) = (await bench.submit("the cat", **query).answer).values()
    rows = await bench.submit("the dog", "the cat", "the bird", **query).answer
    assert list(rows) == [0, 1, 2]
    assert np.array_equal(rows[1], cat)
    assert [len(batch) for batch in bench.gate.batches] == [1, 2]


async def test_passages_are_not_kept(bench: Any) -> None:
    bench.gate.opened.set()
    for _ in range(2):
        await bench.submit("the cat").answer
    assert len(bench.gate.batches) == 2


async def test_other_model_of_the_same_bundle_and_precision_has_its_own(bench: Any) -> None:
    bench.gate.opened.set()
    again = ServedModel(bench.model.bundle, bench.model.precision)
    again.encoder = bench.model.encoder
    for model in (bench.model, again):
        await bench.submit("the cat", input_type="query", model=model).answer
    assert len(bench.gate.batches) == 2


KEPT = {
    "tiny-bi": ("/v1/embeddings", "query"),
    "tiny-sparse": ("/v1/sparse-embeddings", "query"),
    "tiny-late": ("/v1/multi-vector", "query"),
    "tiny-cross": ("/v2/rerank", "score"),
}


@pytest.fixture
def catalog(
    bi_bundle: Bundle, sparse_bundle: Bundle, late_bundle: Bundle, cross_bundle: Bundle
) -> Catalog:
    return Catalog([bi_bundle, sparse_bundle, late_bundle, cross_bundle])


def body(model: str) -> dict[str, Any]:
    texts = ["the cat sat on the mat", "stock prices fell " * 200]
    if model == "tiny-cross":
        return {"model": model, "query": "where does the cat sit", "documents": texts}
    return {"model": model, "input": texts, "input_type": "query"}


async def asked(client: httpx.AsyncClient, model: str) -> dict[str, Any]:
    response = await client.post(KEPT[model][0], json=body(model))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return {name: value for name, value in answer.items() if name != "id"}


def metric(app: FastAPI, name: str, **labels: str) -> float | None:
    found: float | None = app.state.serving.metrics.registry.get_sample_value(name, labels)
    return found


@pytest.mark.parametrize("model", KEPT)
async def test_second_answer_is_the_first_with_its_usage_and_is_counted(
    model: str, catalog: Catalog, served: Any
) -> None:
    async with served(catalog, score_cache_mb=1) as (client, app):
        first, second = await asked(client, model), await asked(client, model)
        label = first["model"]
        cache = {"model": label, "cache": KEPT[model][1]}
        found = [
            metric(app, f"bicross_cache_{name}", **cache) for name in ("misses_total", "hits_total")
        ]
        computed = metric(app, "bicross_texts_total", model=label, lane="search")
    assert first == second
    assert first["usage"]["truncated"] == 1
    assert found == [2, 2]
    assert computed == 2
    assert (metric(app, "bicross_cache_bytes", **cache) or 0) > 0


@pytest.mark.parametrize("model", KEPT)
async def test_without_a_cache_each_request_is_computed(
    model: str, catalog: Catalog, served: Any
) -> None:
    async with served(catalog, query_cache_mb=0) as (client, app):
        await asked(client, model)
        label = (await asked(client, model))["model"]
        computed = metric(app, "bicross_texts_total", model=label, lane="search")
        assert metric(app, "bicross_cache_misses_total", model=label, cache="query") is None
    assert computed == 4
