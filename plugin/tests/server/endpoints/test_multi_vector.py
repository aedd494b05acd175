"""POST /v1/multi-vector gives the runtime's token vectors, in Jina's shape."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from bicross.bundle import Bundle
from bicross.runtime import LateInteractionEncoder
from bicross.server.endpoints.schemas import MultiVectorAnswer
from bicross.server.models.catalog import Catalog

Body = dict[str, Any]
URL = "/v1/multi-vector"
EXAMPLE = Path(__file__).parents[3] / "protocol" / "examples" / "multi-vector.response.json"
TOLERANCE = 1e-5


@pytest.fixture
async def client(late_bundle: Bundle, served: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with served(Catalog([late_bundle])) as (client, _):
        yield client


@pytest.fixture
def body() -> Body:
    return {"model": "tiny-late", "input": ["the cat sat, and sat", "stock prices fell."]}


def matrices(response: httpx.Response) -> list[Any]:
    assert response.status_code == 200, response.text
    return [np.array(record["embeddings"], np.float32) for record in response.json()["data"]]


@pytest.mark.parametrize(
    ("asked", "meant"), [("query", "query"), ("passage", "passage"), ("document", "passage")]
)
async def test_vectors_are_the_runtime_s_in_the_order_of_the_inputs(
    asked: str,
    meant: Any,
    client: httpx.AsyncClient,
    body: Body,
    late_encoder: LateInteractionEncoder,
) -> None:
    found = matrices(await client.post(URL, json=body | {"input_type": asked}))
    expected = late_encoder.encode(body["input"], meant)
    for ours, rows in zip(found, expected, strict=True):
        assert ours.shape == rows.shape
        assert np.abs(ours - rows).max() < TOLERANCE


async def test_texts_may_have_different_numbers_of_vectors(
    client: httpx.AsyncClient, body: Body
) -> None:
    first, second = matrices(await client.post(URL, json=body))
    assert first.shape[1] == second.shape[1] == 12
    assert len(first) != len(second)


async def test_base64_holds_the_same_numbers(client: httpx.AsyncClient, body: Body) -> None:
    floats = matrices(await client.post(URL, json=body))
    response = await client.post(URL, json=body | {"embedding_type": "base64"})
    for record, rows in zip(response.json()["data"], floats, strict=True):
        decoded = [np.frombuffer(base64.b64decode(text), "<f4") for text in record["embeddings"]]
        assert np.abs(np.stack(decoded) - rows).max() < 1e-7


@pytest.mark.parametrize("embedding_type", ["float", "base64"])
async def test_answer_has_the_documented_shape(
    embedding_type: str, client: httpx.AsyncClient, body: Body, late_bundle: Bundle
) -> None:
    response = await client.post(URL, json=body | {"embedding_type": embedding_type})
    answer = MultiVectorAnswer.model_validate(response.json(), extra="forbid")
    assert answer.model == f"tiny-late@{late_bundle.manifest.digest[:12]}"


def test_shared_example_has_the_documented_shape() -> None:
    MultiVectorAnswer.model_validate(json.loads(EXAMPLE.read_text()), extra="forbid")


async def test_usage_counts_the_tokens_of_query_expansion(client: httpx.AsyncClient) -> None:
    body = {"model": "tiny-late", "input": ["cat", "cat " * 40], "input_type": "query"}
    usage = (await client.post(URL, json=body)).json()["usage"]
    assert usage == {"prompt_tokens": 32, "total_tokens": 32, "truncated": 1}


@pytest.mark.parametrize(
    ("change", "param", "fragment"),
    [
        ({"embedding_type": "int8"}, "embedding_type", "'float' or 'base64'"),
        ({"dimensions": 8}, "dimensions", "not offered; tiny-late gives 12"),
        ({"input_type": "text"}, "input_type", "'query', 'passage' or 'document'"),
        ({"encoding_format": "float"}, "encoding_format", "its fields are dimensions"),
    ],
    ids=["embedding_type", "dimensions", "input_type", "encoding_format"],
)
async def test_wrong_field_is_refused_by_name(
    change: Body, param: str, fragment: str, client: httpx.AsyncClient, body: Body
) -> None:
    response = await client.post(URL, json=body | change)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param
    assert fragment in response.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/v1/embeddings", "/v1/sparse-embeddings", "/v1/rerank"])
async def test_other_routes_refuse_the_model_with_its_task(
    path: str, client: httpx.AsyncClient
) -> None:
    texts = {"query": "q", "documents": ["a"]} if "rerank" in path else {"input": "a"}
    response = await client.post(path, json={"model": "tiny-late"} | texts)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["code"] == "wrong_task"
    assert "tiny-late is for late_interaction" in error["message"]
