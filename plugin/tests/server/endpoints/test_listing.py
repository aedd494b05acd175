"""The list of models says what the node checks vectors by; metrics have names and no texts."""

from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from bicross.bundle import Bundle
from bicross.server.models.catalog import Catalog


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
    assert all(name.startswith(("bicross_", "process_")) for name in families)
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


async def test_models_of_token_weights_and_vectors_are_listed_with_how_they_compare(
    sparse_bundle: Bundle, late_bundle: Bundle, served: Any
) -> None:
    async with served(Catalog([sparse_bundle, late_bundle])) as (client, _):
        sparse, late = (await client.get("/v1/models")).json()["data"]
    assert sparse_bundle.manifest.sparse is not None
    assert (sparse["task"], sparse["similarity"]) == ("sparse_embedding", "dot_product")
    assert sparse["dimensions"] == sparse_bundle.manifest.sparse.dimensions
    assert (late["task"], late["similarity"]) == ("late_interaction", "maxsim")
    assert late["dimensions"] == 12
    assert "output_dtypes" not in {*sparse, *late}
