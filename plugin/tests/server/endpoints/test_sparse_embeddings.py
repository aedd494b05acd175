"""POST /v1/sparse-embeddings gives the runtime's weights, ready for a field or by index."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bicross.bundle import Bundle
from bicross.runtime import SparseEncoder
from bicross.server.endpoints.schemas import SparseEmbeddingsAnswer
from bicross.server.models.catalog import Catalog

Body = dict[str, Any]
URL = "/v1/sparse-embeddings"
EXAMPLE = Path(__file__).parents[3] / "protocol" / "examples" / "sparse-embeddings.response.json"
TOLERANCE = 1e-5


@pytest.fixture
async def client(
    sparse_bundle: Bundle, bi_bundle: Bundle, served: Any
) -> AsyncIterator[httpx.AsyncClient]:
    async with served(Catalog([sparse_bundle, bi_bundle])) as (client, _):
        yield client


@pytest.fixture
def body() -> Body:
    return {"model": "tiny-sparse", "input": ["the cat sat on the mat.", "stock prices fell"]}


def embeddings(response: httpx.Response) -> list[Any]:
    assert response.status_code == 200, response.text
    return [record["embedding"] for record in response.json()["data"]]


@pytest.mark.parametrize("input_type", ["query", "passage"])
async def test_weights_are_the_runtime_s_by_token(
    input_type: Any, client: httpx.AsyncClient, body: Body, sparse_encoder: SparseEncoder
) -> None:
    found = embeddings(await client.post(URL, json=body | {"input_type": input_type}))
    for weights, vector in zip(
        found, sparse_encoder.encode(body["input"], input_type), strict=True
    ):
        expected = {
            sparse_encoder.names[index]: weight for index, weight in vector.as_dict().items()
        }
        assert weights.keys() == expected.keys()
        assert all(abs(weights[token] - expected[token]) < TOLERANCE for token in weights)


async def test_tokens_come_heaviest_first_and_without_dots(
    client: httpx.AsyncClient, body: Body
) -> None:
    (first, _) = embeddings(await client.post(URL, json=body | {"input_type": "query"}))
    assert list(first.values()) == sorted(first.values(), reverse=True)
    assert "__" in first
    assert not any("." in token for token in first)


async def test_indices_are_the_same_weights_in_the_shape_of_other_servers(
    client: httpx.AsyncClient, body: Body, sparse_encoder: SparseEncoder
) -> None:
    by_token = embeddings(await client.post(URL, json=body))
    by_index = embeddings(await client.post(URL, json=body | {"encoding_format": "indices"}))
    for tokens, pairs in zip(by_token, by_index, strict=True):
        assert [pair["index"] for pair in pairs] == sorted(pair["index"] for pair in pairs)
        assert {sparse_encoder.names[pair["index"]]: pair["value"] for pair in pairs} == tokens


@pytest.mark.parametrize("encoding_format", ["tokens", "indices"])
async def test_answer_has_the_documented_shape_and_names_the_digest(
    encoding_format: str, client: httpx.AsyncClient, body: Body, sparse_bundle: Bundle
) -> None:
    response = await client.post(URL, json=body | {"encoding_format": encoding_format})
    answer = SparseEmbeddingsAnswer.model_validate(response.json(), extra="forbid")
    assert answer.model == f"tiny-sparse@{sparse_bundle.manifest.digest[:12]}"
    # `prices` is two tokens.
    assert answer.usage.total_tokens == 9 + 6


def test_shared_example_has_the_documented_shape() -> None:
    SparseEmbeddingsAnswer.model_validate(json.loads(EXAMPLE.read_text()), extra="forbid")


async def test_long_text_is_cut_and_counted_or_refused(client: httpx.AsyncClient) -> None:
    body = {"model": "tiny-sparse", "input": "cat " * 100}
    assert (await client.post(URL, json=body)).json()["usage"]["truncated"] == 1
    response = await client.post(URL, json=body | {"truncate": False})
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "text_too_long"


@pytest.mark.parametrize(
    ("change", "param", "fragment"),
    [
        ({"encoding_format": "base64"}, "encoding_format", "'tokens' or 'indices'"),
        ({"dimensions": 8}, "dimensions", "its fields are encoding_format, input"),
        ({"input_type": "document"}, "input_type", "'query' or 'passage'"),
        ({"input": []}, "input", "holds no text"),
    ],
    ids=["encoding_format", "dimensions", "input_type", "input"],
)
async def test_wrong_field_is_refused_by_name(
    change: Body, param: str, fragment: str, client: httpx.AsyncClient, body: Body
) -> None:
    response = await client.post(URL, json=body | change)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == param
    assert fragment in response.json()["error"]["message"]


@pytest.mark.parametrize(("path", "model"), [(URL, "tiny-bi"), ("/v1/embeddings", "tiny-sparse")])
async def test_model_of_another_task_is_refused_with_its_own(
    path: str, model: str, client: httpx.AsyncClient, body: Body
) -> None:
    response = await client.post(path, json=body | {"model": model})
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["code"], error["param"]) == ("wrong_task", "model")
    assert f"{model} is for" in error["message"]
