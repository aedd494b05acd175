"""Texts are strings, not blank, not too many, not too large; each fault is named by position."""

import json
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.runtime import BiEncoder
from bicross.server.endpoints.texts import most_tokens
from bicross.server.models.catalog import Catalog

URL = "/v1/embeddings"


async def refusal(client: httpx.AsyncClient, texts: Any) -> tuple[int, dict[str, Any]]:
    # httpx would send half a surrogate pair as bytes that are no UTF-8.
    content = json.dumps({"model": "tiny-bi", "input": texts})
    headers = {"content-type": "application/json"}
    response = await client.post(URL, content=content, headers=headers)
    return response.status_code, response.json().get("error", {})


@pytest.mark.parametrize(
    ("odd", "fragment"),
    [
        ("", "is empty"),
        (" \t\n ", "is empty"),
        (None, "is null; send a string"),
        (5, "is a number; token ids"),
        (1.5, "is a number"),
        (True, "is a boolean; send a string"),
        ({"text": "x"}, "is an object; send a string"),
        (["x"], "is an array"),
        ("a\ud800b", "lone surrogate at character 1"),
    ],
    ids=repr,
)
async def test_odd_text_is_refused_by_its_position(
    odd: object, fragment: str, client: httpx.AsyncClient
) -> None:
    status, error = await refusal(client, ["a cat", odd])
    assert (status, error["code"], error["param"]) == (400, "invalid_request", "input[1]")
    assert fragment in error["message"]


@pytest.mark.parametrize("text", ["", "  ", "\ud800"], ids=repr)
async def test_odd_single_text_is_refused_as_input(text: str, client: httpx.AsyncClient) -> None:
    status, error = await refusal(client, text)
    assert (status, error["param"]) == (400, "input")


async def test_no_texts_are_refused(client: httpx.AsyncClient) -> None:
    status, error = await refusal(client, [])
    assert (status, error["param"]) == (400, "input")


async def test_more_texts_than_the_limit_are_refused_with_both_counts(
    client: httpx.AsyncClient,
) -> None:
    status, error = await refusal(client, ["a"] * 257)
    assert (status, error["code"], error["param"]) == (413, "too_many_inputs", "input")
    assert "257 texts; the limit max_inputs is 256" in error["message"]


async def test_as_many_texts_as_the_limit_are_taken(client: httpx.AsyncClient) -> None:
    status, _ = await refusal(client, ["a"] * 256)
    assert status == 200


async def test_more_documents_than_the_limit_are_refused(client: httpx.AsyncClient) -> None:
    body = {"model": "tiny-cross", "query": "q", "documents": ["a"] * 1001}
    response = await client.post("/v1/rerank", json=body)
    assert response.status_code == 413
    assert "1001 texts; the limit max_documents is 1000" in response.json()["message"]


async def test_large_text_is_refused_by_its_bytes_before_it_is_tokenised(
    client: httpx.AsyncClient,
) -> None:
    status, error = await refusal(client, ["a cat", "é" * 524_289])
    assert (status, error["code"], error["param"]) == (413, "text_too_large", "input[1]")
    assert "1048578 bytes; the limit max_text_bytes is 1048576" in error["message"]


async def test_more_tokens_than_a_request_may_have_are_refused(
    loaded_catalog: Catalog, served: Any
) -> None:
    async with served(loaded_catalog, max_request_tokens=20) as (client, _):
        status, error = await refusal(client, ["the cat"] * 4)
    assert (status, error["code"]) == (413, "too_many_inputs")
    assert "24 tokens in all; the limit max_request_tokens is 20" in error["message"]


@pytest.mark.parametrize(
    "text",
    ["\x00", "a\x00b\x07", "👩‍👩‍👧‍👦", "שלום עולם", "e\u0301te\u0301", "\u202eabc"],
    ids=ascii,
)
async def test_unusual_text_has_the_runtime_s_vector(
    text: str, client: httpx.AsyncClient, bi_encoder: BiEncoder
) -> None:
    response = await client.post(URL, json={"model": "tiny-bi", "input": [text]})
    assert response.status_code == 200
    expected = bi_encoder.encode([text], "passage")
    assert np.abs(response.json()["data"][0]["embedding"] - expected).max() < 1e-5


@given(texts=st.lists(st.text("the cat é👩\x00x", max_size=200), min_size=1, max_size=10))
def test_estimate_is_never_below_what_tokenising_gives(
    bi_encoder: BiEncoder, texts: list[str]
) -> None:
    prompt = bi_encoder.prompt("passage")
    found = sum(sequence.length for sequence in bi_encoder.tokenize(texts, "passage"))
    assert found <= most_tokens(texts, 8 + len(prompt), 64)
