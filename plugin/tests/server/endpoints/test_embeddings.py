"""POST /v1/embeddings gives the runtime's vectors, in OpenAI's shape."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bicross.bundle import Bundle
from bicross.runtime import BiEncoder
from bicross.runtime.quantized_vectors import convert
from bicross.server.endpoints.embeddings import base64_of
from bicross.server.endpoints.schemas import EmbeddingsAnswer
from bicross.server.models.catalog import Catalog

Body = dict[str, Any]
URL = "/v1/embeddings"
TOLERANCE = 1e-5


@pytest.fixture
async def cut_client(cut_bundle: Bundle, served: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with served(Catalog([cut_bundle])) as (client, _):
        yield client


@pytest.fixture
def cut_body(embeddings_body: Body) -> Body:
    return embeddings_body | {"model": "tiny-cut"}


def vectors(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    return np.array([record["embedding"] for record in response.json()["data"]], np.float32)


def error(response: httpx.Response) -> Body:
    found: Body = response.json()["error"]
    return found


async def test_vectors_are_the_runtime_s_in_the_order_of_the_inputs(
    client: httpx.AsyncClient, embeddings_body: Body, bi_encoder: BiEncoder
) -> None:
    response = await client.post(URL, json=embeddings_body)
    expected = bi_encoder.encode(embeddings_body["input"], "passage")
    assert np.abs(vectors(response) - expected).max() < TOLERANCE
    assert [record["index"] for record in response.json()["data"]] == [0, 1]


async def test_answer_has_the_documented_shape_and_names_the_digest(
    client: httpx.AsyncClient, embeddings_body: Body, bi_bundle: Bundle
) -> None:
    response = await client.post(URL, json=embeddings_body)
    answer = EmbeddingsAnswer.model_validate(response.json(), strict=True, extra="forbid")
    assert answer.model == f"tiny-bi@{bi_bundle.manifest.digest[:12]}"


async def test_one_string_gives_one_vector(client: httpx.AsyncClient) -> None:
    response = await client.post(URL, json={"model": "tiny-bi", "input": "a cat"})
    assert vectors(response).shape == (1, 16)


async def test_input_type_picks_the_prompt(
    client: httpx.AsyncClient, embeddings_body: Body, bi_encoder: BiEncoder
) -> None:
    response = await client.post(URL, json=embeddings_body | {"input_type": "query"})
    expected = bi_encoder.encode(embeddings_body["input"], "query")
    assert np.abs(vectors(response) - expected).max() < TOLERANCE


async def test_base64_holds_the_same_numbers_as_float(
    client: httpx.AsyncClient, embeddings_body: Body
) -> None:
    as_float = vectors(await client.post(URL, json=embeddings_body))
    response = await client.post(URL, json=embeddings_body | {"encoding_format": "base64"})
    for record, row in zip(response.json()["data"], as_float, strict=True):
        decoded = np.frombuffer(base64.b64decode(record["embedding"], validate=True), "<f4")
        assert np.abs(decoded - row).max() < 1e-7


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=40))
def test_base64_of_a_vector_gives_back_every_bit(values: list[float]) -> None:
    row = np.array(values, np.float32)
    assert np.frombuffer(base64.b64decode(base64_of(row)), "<f4").tobytes() == row.tobytes()


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
@example("\0a")
@example("\ufeff\ue000\U0010ffff")
async def test_any_text_reaches_the_model_as_it_was_sent(
    client: httpx.AsyncClient, bi_encoder: BiEncoder, text: str
) -> None:
    response = await client.post(URL, json={"model": "tiny-bi", "input": text})
    if text.strip():
        expected = bi_encoder.encode([text], "passage")
        (row,) = bi_encoder.tokenize([text], "passage")
        assert np.abs(vectors(response) - expected).max() < TOLERANCE
        assert response.json()["usage"]["total_tokens"] == row.length
    else:
        assert (response.status_code, error(response)["param"]) == (400, "input")


async def test_usage_counts_tokens_as_the_model_reads_them(client: httpx.AsyncClient) -> None:
    # [CLS] passage : the cat [SEP], where the colon is unknown.
    response = await client.post(URL, json={"model": "tiny-bi", "input": ["the cat", "cat " * 100]})
    assert response.json()["usage"] == {
        "prompt_tokens": 6 + 64,
        "total_tokens": 6 + 64,
        "truncated": 1,
    }


async def test_long_text_is_refused_with_both_lengths_where_it_may_not_be_cut(
    client: httpx.AsyncClient,
) -> None:
    body = {"model": "tiny-bi", "input": ["a cat", "cat " * 900], "truncate": False}
    response = await client.post(URL, json=body)
    assert response.status_code == 400
    assert error(response)["code"] == "text_too_long"
    assert error(response)["param"] == "input[1]"
    assert "904 tokens" in error(response)["message"]
    assert "takes 64" in error(response)["message"]


async def test_own_dimensions_are_taken(client: httpx.AsyncClient, embeddings_body: Body) -> None:
    response = await client.post(URL, json=embeddings_body | {"dimensions": 16})
    assert vectors(response).shape == (2, 16)


async def test_shorter_dimensions_on_offer_are_the_runtime_s_cut(
    cut_client: httpx.AsyncClient, cut_body: Body, cut_bundle: Bundle
) -> None:
    response = await cut_client.post(URL, json=cut_body | {"dimensions": 8})
    encoder = BiEncoder.load(cut_bundle, threads=1)
    expected = encoder.encode(cut_body["input"], "passage", dimensions=8)
    assert np.abs(vectors(response) - expected).max() < TOLERANCE


@pytest.mark.parametrize("dtype", ["int8", "uint8", "binary", "ubinary"])
async def test_output_dtype_is_the_float_vector_in_fewer_bits(
    dtype: Any, cut_client: httpx.AsyncClient, cut_body: Body, cut_bundle: Bundle
) -> None:
    cut_body["dimensions"] = 8
    floats = vectors(await cut_client.post(URL, json=cut_body))
    response = await cut_client.post(URL, json=cut_body | {"output_dtype": dtype})
    assert response.status_code == 200, response.text
    embeddings = [record["embedding"] for record in response.json()["data"]]
    assert cut_bundle.manifest.embedding is not None
    assert embeddings == convert(floats, dtype, cut_bundle.manifest.embedding).tolist()
    EmbeddingsAnswer.model_validate(response.json(), strict=True, extra="forbid")


@pytest.mark.parametrize(
    ("dtype", "read"), [("int8", "i1"), ("uint8", "u1"), ("binary", "i1"), ("ubinary", "u1")]
)
async def test_base64_of_fewer_bits_is_a_byte_for_each_number(
    dtype: str, read: str, cut_client: httpx.AsyncClient, cut_body: Body
) -> None:
    cut_body["output_dtype"] = dtype
    numbers = (await cut_client.post(URL, json=cut_body)).json()["data"]
    texts = (await cut_client.post(URL, json=cut_body | {"encoding_format": "base64"})).json()
    for number, text in zip(numbers, texts["data"], strict=True):
        decoded = np.frombuffer(base64.b64decode(text["embedding"], validate=True), read)
        assert decoded.tolist() == number["embedding"]


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
async def test_int8_is_refused_with_its_remedy_where_the_bundle_has_no_scale(
    dtype: str, client: httpx.AsyncClient, embeddings_body: Body
) -> None:
    response = await client.post(URL, json=embeddings_body | {"output_dtype": dtype})
    assert response.status_code == 400
    assert error(response)["param"] == "output_dtype"
    assert "the bundle of tiny-bi@" in error(response)["message"]
    assert "Export the model from its weights" in error(response)["message"]
    assert "float, binary, ubinary" in error(response)["message"]


@pytest.mark.parametrize(
    ("change", "param", "fragment"),
    [
        ({"encoding_format": "hex"}, "encoding_format", "'float' or 'base64'"),
        ({"dimensions": 8}, "dimensions", "not offered; tiny-bi gives 16"),
        (
            {"output_dtype": "bit"},
            "output_dtype",
            "'float', 'int8', 'uint8', 'binary' or 'ubinary'",
        ),
        ({"dimensions": "16"}, "dimensions", "integer"),
        ({"input_type": "document"}, "input_type", "'query' or 'passage'"),
        ({"truncate": 1}, "truncate", "boolean"),
        ({"instruction": "x"}, "instruction", "its fields are dimensions, encoding_format"),
        ({"model": ""}, "model", "at least 1 character"),
        ({"model": None}, "model", "string"),
        ({"input": 7}, "input", "a number; send texts"),
        ({"input": {"text": "x"}}, "input", "an object; send texts"),
        ({"input": [[1, 2]]}, "input[0]", "token ids"),
        ({"input": [1, 2]}, "input[0]", "token ids"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
async def test_wrong_field_is_refused_by_name(
    change: Body, param: str, fragment: str, client: httpx.AsyncClient, embeddings_body: Body
) -> None:
    response = await client.post(URL, json=embeddings_body | change)
    assert response.status_code == 400
    assert error(response)["type"] == "invalid_request_error"
    assert error(response)["param"] == param
    assert fragment in error(response)["message"]


@pytest.mark.parametrize("field", ["model", "input"])
async def test_missing_field_is_refused_by_name(
    field: str, client: httpx.AsyncClient, embeddings_body: Body
) -> None:
    del embeddings_body[field]
    response = await client.post(URL, json=embeddings_body)
    assert response.status_code == 400
    assert error(response) == {
        "message": f"`{field}` is missing",
        "type": "invalid_request_error",
        "param": field,
        "code": "invalid_request",
    }


async def test_field_that_openai_s_clients_send_is_taken_and_ignored(
    client: httpx.AsyncClient, embeddings_body: Body
) -> None:
    response = await client.post(URL, json=embeddings_body | {"user": "u-1"})
    assert response.status_code == 200


async def test_cross_encoder_is_refused_with_its_task(
    client: httpx.AsyncClient, embeddings_body: Body
) -> None:
    response = await client.post(URL, json=embeddings_body | {"model": "tiny-cross"})
    assert response.status_code == 400
    assert (error(response)["code"], error(response)["param"]) == ("wrong_task", "model")
    assert "tiny-cross is for rerank" in error(response)["message"]
