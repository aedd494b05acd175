"""Whatever JSON comes, it is read or refused by name, and never an error of the server."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bicross.errors import RequestError
from bicross.server.endpoints.schemas import (
    EmbeddingsAnswer,
    EmbeddingsRequest,
    MultiVectorRequest,
    Request,
    RerankRequest,
    SparseEmbeddingsRequest,
)
from bicross.server.endpoints.texts import TextLimits, read_documents, read_inputs

EXAMPLES = Path(__file__).parents[3] / "protocol" / "examples"
LIMITS = TextLimits(5, 20, "max_inputs")

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
json_values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=8,
)
SCHEMAS: list[type[Request]] = [
    EmbeddingsRequest,
    SparseEmbeddingsRequest,
    MultiVectorRequest,
    RerankRequest,
]
fields = sorted({name for schema in SCHEMAS for name in schema.model_fields} | {"text", "other"})
objects = st.dictionaries(st.sampled_from(fields), json_values, max_size=6)


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        (EmbeddingsRequest, "embeddings.request.json"),
        (EmbeddingsRequest, "embeddings.int8.request.json"),
        (SparseEmbeddingsRequest, "sparse-embeddings.request.json"),
        (MultiVectorRequest, "multi-vector.request.json"),
        (RerankRequest, "rerank.request.json"),
        (RerankRequest, "rerank.partial.request.json"),
    ],
    ids=["embeddings", "int8", "sparse-embeddings", "multi-vector", "rerank", "partial"],
)
def test_shared_example_is_read(schema: type[Request], example: str) -> None:
    body = json.loads((EXAMPLES / example).read_text())
    assert schema.read(body).model_dump(exclude_unset=True) == body


@pytest.mark.parametrize("example", ["embeddings", "embeddings.int8"])
def test_shared_answer_is_of_the_documented_shape(example: str) -> None:
    answer = json.loads((EXAMPLES / f"{example}.response.json").read_text())
    assert EmbeddingsAnswer.model_validate(answer, extra="forbid").model_dump() == answer


@pytest.mark.parametrize("schema", SCHEMAS)
@given(body=objects)
def test_any_object_is_read_or_refused_with_a_field(
    schema: type[Request], body: dict[str, Any]
) -> None:
    try:
        schema.read(body)
    except RequestError as error:
        assert error.status == 400  # noqa: PT017  both outcomes are right
        assert error.param in {*fields}  # noqa: PT017


@pytest.mark.parametrize("read", [read_inputs, read_documents])
@given(value=json_values | st.lists(scalars | st.fixed_dictionaries({"text": scalars}), max_size=7))
def test_any_value_is_texts_or_refused_by_position(read: Any, value: object) -> None:
    try:
        texts = read(value, LIMITS)
    except RequestError as error:
        assert (error.param or "").startswith(("input", "documents"))  # noqa: PT017
    else:
        assert 1 <= len(texts) <= LIMITS.max_count
        assert all(text.strip() and len(text.encode()) <= LIMITS.max_bytes for text in texts)


@given(path=st.sampled_from(["/v1/embeddings", "/v1/rerank", "/v2/rerank"]), body=objects)
@settings(suppress_health_check=list(HealthCheck))
async def test_no_body_makes_the_server_fail(
    client: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    known = {"model": "tiny-bi" if "embeddings" in path else "tiny-cross", "query": "q"}
    content = json.dumps(known | body, allow_nan=True)
    headers = {"content-type": "application/json"}
    response = await client.post(path, content=content, headers=headers)
    assert response.status_code in {200, 400, 404}
