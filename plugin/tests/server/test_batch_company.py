"""A text's answer does not depend on what the scheduler put beside it."""

import asyncio
from typing import Any

import httpx
import numpy as np
import pytest

from bicross.runtime import FloatArray

# Of one number: a unit vector's, and a logit's as it is.
TOLERANCE = 1e-5
WORDS = ("the", "cat", "sat", "on", "river", "bread", "salt", "fell", "king")
# From one word to more than the models take, so that neighbours pad one another.
TEXTS = [" ".join(WORDS[(at + step) % 9] for step in range(1 + at * at // 16)) for at in range(36)]


async def vectors(client: httpx.AsyncClient, texts: list[str]) -> FloatArray:
    body = {"model": "tiny-bi", "input": texts, "input_type": "passage"}
    answer = (await client.post("/v1/embeddings", json=body)).json()
    return np.array([record["embedding"] for record in answer["data"]], np.float32)


async def logits(client: httpx.AsyncClient, texts: list[str]) -> FloatArray:
    body = {"model": "tiny-cross", "query": "salt bread", "documents": texts}
    results: list[dict[str, Any]] = (await client.post("/v1/rerank", json=body)).json()["results"]
    by_index = {result["index"]: result["logit"] for result in results}
    return np.array([by_index[index] for index in range(len(texts))], np.float32)


@pytest.mark.parametrize("ask", [vectors, logits])
async def test_texts_alone_and_in_any_company_have_the_same_numbers(
    ask: Any, client: httpx.AsyncClient
) -> None:
    alone = np.concatenate([await ask(client, [text]) for text in TEXTS])
    together = await ask(client, TEXTS)
    # Three requests at once, whose texts share the runs of the model.
    thirds = await asyncio.gather(*(ask(client, TEXTS[start::3]) for start in range(3)))
    for start, third in enumerate(thirds):
        np.testing.assert_allclose(third, alone[start::3], rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(together, alone, rtol=0, atol=TOLERANCE)
