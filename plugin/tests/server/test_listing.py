"""The list of models says what the node checks vectors by; metrics have names and no texts."""

from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from bicross.bundle import Bundle
from bicross.server.catalog import Catalog


async def test_models_are_listed_with_what_a_client_must_know(
    client: httpx.AsyncClient, bi_bundle: Bundle, cross_bundle: Bundle
) -> None:
    response = await client.get("/v1/models")
    common = {
        "object": "model",
        "created": 0,
        "owned_by": "bicross",
        "engine": "onnxruntime",
        "precision": "fp32",
        "max_tokens": 64,
        "ready": True,
    }
    bi = {
        "id": "tiny-bi",
        "task": "text_embedding",
        "digest": bi_bundle.manifest.digest,
        "dimensions": 16,
        "offered_dimensions": [16],
        "output_dtypes": ["float", "binary", "ubinary"],
        "similarity": "cosine",
    }
    cross = {
        "id": "tiny-cross",
        "task": "rerank",
        "digest": cross_bundle.manifest.digest,
        "activation": "sigmoid",
    }
    assert response.json() == {"object": "list", "data": [common | bi, common | cross]}


async def test_shorter_vectors_and_their_types_are_listed_where_they_are_offered(
    cut_bundle: Bundle, served: Any
) -> None:
    async with served(Catalog([cut_bundle])) as (client, _):
        (model,) = (await client.get("/v1/models")).json()["data"]
    assert model["offered_dimensions"] == [16, 8, 4]
    assert model["output_dtypes"] == ["float", "int8", "uint8", "binary", "ubinary"]


async def test_metrics_are_prometheus_text_with_what_was_done(
    client: httpx.AsyncClient, embeddings_body: dict[str, Any], bi_bundle: Bundle
) -> None:
    await client.post("/v1/embeddings", json=embeddings_body)
    response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    families = {family.name: family for family in text_string_to_metric_families(response.text)}
    assert all(name.startswith("bicross_") for name in families)
    samples = {
        sample.name: sample
        for family in families.values()
        for sample in family.samples
        if sample.labels.get("lane") == "ingest"
    }
    texts = samples["bicross_texts_total"]
    label = f"tiny-bi@{bi_bundle.manifest.digest[:12]}"
    assert texts.labels == {"model": label, "lane": "ingest"}
    assert texts.value == 2
    for histogram in ("tokenize", "queue", "infer"):
        assert samples[f"bicross_{histogram}_seconds_count"].value == 1
