"""What is counted of models and requests, and that a model which is gone leaves nothing."""

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bicross.server.models.catalog import Catalog
from bicross.server.telemetry.metrics import PER_LANE, Metrics

Samples = dict[tuple[str, str, str], float]


def samples(text: str) -> Samples:
    """By name, model and lane."""
    return {
        (sample.name, sample.labels.get("model", ""), sample.labels.get("lane", "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if "le" not in sample.labels
    }


async def scraped(client: Any) -> Samples:
    response = await client.get("/metrics")
    assert response.status_code == 200
    return samples(response.text)


async def test_every_stage_of_an_answer_is_timed_once_for_its_model_and_lane(
    served: Any, loaded_catalog: Catalog, rerank_body: dict[str, Any]
) -> None:
    label = loaded_catalog.find("tiny-cross", "rerank").label
    async with served(loaded_catalog) as (client, _):
        assert (await client.post("/v1/rerank", json=rerank_body)).status_code == 200
        found = await scraped(client)
    for stage in ("tokenize", "queue", "infer", "serialize"):
        assert found[f"bicross_{stage}_seconds_count", label, "search"] == 1
        assert found[f"bicross_{stage}_seconds_sum", label, "search"] > 0


async def test_fill_of_all_batches_is_tokens_by_padded_tokens(
    served: Any, loaded_catalog: Catalog, embeddings_body: dict[str, Any]
) -> None:
    texts = ["cat", "the cat sat on the mat", "bread", "the bread is made from water and salt"]
    label = loaded_catalog.find("tiny-bi", "text_embedding").label
    async with served(loaded_catalog) as (client, _):
        answer = await client.post("/v1/embeddings", json={**embeddings_body, "input": texts})
        found = await scraped(client)
    tokens = found["bicross_tokens_total", label, "ingest"]
    padded = found["bicross_padded_tokens_total", label, "ingest"]
    rows = found["bicross_texts_total", label, "ingest"]
    assert tokens == answer.json()["usage"]["total_tokens"]
    assert rows == len(texts)
    assert tokens <= padded <= rows * tokens


async def test_refused_request_has_no_time_of_serialising(
    served: Any, loaded_catalog: Catalog, embeddings_body: dict[str, Any]
) -> None:
    body = {**embeddings_body, "input": ["the cat " * 600], "truncate": False}
    label = loaded_catalog.find("tiny-bi", "text_embedding").label
    async with served(loaded_catalog) as (client, _):
        response = await client.post("/v1/embeddings", json=body)
        found = await scraped(client)
    assert response.json()["error"]["code"] == "text_too_long"
    assert found["bicross_tokenize_seconds_count", label, "ingest"] == 1
    assert found["bicross_serialize_seconds_count", label, "ingest"] == 0


async def test_process_tells_its_memory_and_processor_time(
    served: Any, loaded_catalog: Catalog
) -> None:
    async with served(loaded_catalog) as (client, _):
        found = await scraped(client)
    assert found["process_resident_memory_bytes", "", ""] > 1 << 20
    assert found["process_cpu_seconds_total", "", ""] > 0


async def test_loaded_model_tells_how_long_it_took(served: Any, loaded_catalog: Catalog) -> None:
    async with served(loaded_catalog) as (client, _):
        found = await scraped(client)
    for model in loaded_catalog.models:
        assert found["bicross_model_load_seconds", model.label, ""] == model.load_seconds
        assert found["bicross_model_ready", model.label, ""] == 1


def test_forgotten_model_leaves_no_series_and_others_stay() -> None:
    metrics = Metrics()
    for model in ("a@1", "b@2"):
        metrics.show_model(model, ready=True, load_seconds=0.5)
        for lane in ("search", "ingest"):
            metrics.of(model, lane).texts.inc(3)
        metrics.of_cache(model, "query").cache_hits.inc()
    metrics.forget("a@1")
    text = metrics.exposition().decode()
    assert "a@1" not in text
    assert samples(text)["bicross_texts_total", "b@2", "ingest"] == 3
    assert samples(text)["bicross_cache_hits_total", "b@2", ""] == 1


def test_model_that_comes_back_counts_from_nothing() -> None:
    metrics = Metrics()
    metrics.of("a@1", "search").texts.inc(3)
    metrics.forget("a@1")
    metrics.of("a@1", "search").texts.inc()
    assert samples(metrics.exposition().decode())["bicross_texts_total", "a@1", "search"] == 1


def test_series_of_a_model_and_lane_are_looked_up_once() -> None:
    metrics = Metrics()
    assert metrics.of("a@1", "search") is metrics.of("a@1", "search")


@pytest.mark.parametrize("name", PER_LANE)
def test_series_stand_for_the_metrics_of_their_names(name: str) -> None:
    metrics = Metrics()
    assert getattr(metrics.of("a@1", "search"), name) is getattr(metrics, name).labels(
        "a@1", "search"
    )
