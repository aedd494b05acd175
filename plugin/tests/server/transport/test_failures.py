"""Each error has the status, type and body that the shared list gives it."""

import json
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import ClientDisconnect

from bicross.errors import InvalidRequest, Overloaded, RequestError
from bicross.server.endpoints.schemas import ErrorAnswer
from bicross.server.transport.failures import failure_body, failure_response

PROTOCOL = Path(__file__).parents[3] / "protocol"
ROWS = {row["code"]: row for row in json.loads((PROTOCOL / "errors.json").read_text())}
EXAMPLES = PROTOCOL / "examples"


def classes() -> list[type[RequestError]]:
    return RequestError.__subclasses__()


@pytest.mark.parametrize("cls", classes(), ids=lambda cls: cls.code)
def test_error_has_the_status_and_type_of_the_shared_list(cls: type[RequestError]) -> None:
    response = failure_response(cls("why"), "/v1/embeddings")
    row = ROWS[cls.code]
    assert response.status_code == row["status"]["http"]
    assert json.loads(bytes(response.body))["error"] == {
        "message": "why",
        "type": row["type"],
        "param": None,
        "code": cls.code,
    }


@pytest.mark.parametrize(
    ("example", "path"),
    [("error.response.json", "/v1/embeddings"), ("rerank.error.response.json", "/v1/rerank")],
)
def test_body_has_the_shape_of_the_shared_example(example: str, path: str) -> None:
    expected = json.loads((EXAMPLES / example).read_text())
    found = failure_body(InvalidRequest("x", param="y"), path)
    assert set(found) == set(expected)
    assert set(found["error"]) == set(expected["error"])
    ErrorAnswer.model_validate(found, extra="forbid")


@pytest.mark.parametrize(("given", "header"), [(0.2, "1"), (1.0, "1"), (1.2, "2"), (60, "60")])
def test_retry_after_is_in_whole_seconds_and_never_early(given: float, header: str) -> None:
    response = failure_response(Overloaded("full", retry_after_s=given), "/v1/rerank")
    assert response.headers["retry-after"] == header


def test_unforeseen_error_is_a_500_that_keeps_its_message_to_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken() -> None:
        raise ValueError("quoted passage")

    with pytest.raises(ValueError) as caught:  # noqa: PT011  its message is the point
        broken()
    with caplog.at_level(logging.ERROR):
        response = failure_response(caught.value, "/v1/embeddings")
    assert response.status_code == 500
    assert json.loads(bytes(response.body))["error"]["code"] == "model_failed"
    assert "unforeseen ValueError" in caplog.text
    assert "in broken" in caplog.text
    assert b"quoted passage" not in response.body
    assert caplog.text.count("quoted passage") == caplog.text.count('raise ValueError("quoted')


def test_client_that_left_is_told_nothing() -> None:
    response = failure_response(ClientDisconnect(), "/v1/embeddings")
    assert (response.status_code, response.body) == (499, b"")


async def test_unknown_route_is_a_404(client: httpx.AsyncClient) -> None:
    response = await client.get("/v3/rerank")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "route_not_found"


@pytest.mark.parametrize("path", ["/v1/embeddings", "/v1/rerank", "/v2/rerank"])
async def test_wrong_method_is_a_405_that_names_the_right_one(
    path: str, client: httpx.AsyncClient
) -> None:
    response = await client.get(path)
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert response.json()["error"]["code"] == "method_not_allowed"


def test_answers_have_the_fields_of_the_shared_examples(
    loaded_answers: dict[str, Any],
) -> None:
    for name, answer in loaded_answers.items():
        expected = json.loads((EXAMPLES / f"{name}.response.json").read_text())
        assert _shape(answer) == _shape(expected), name


@pytest.fixture
async def loaded_answers(
    client: httpx.AsyncClient,
) -> dict[str, Any]:
    """The answers of this server to the shared requests, its own models named in them."""
    answers = {"models": (await client.get("/v1/models")).json()}
    for name, model in (("embeddings", "tiny-bi"), ("rerank", "tiny-cross")):
        body = json.loads((EXAMPLES / f"{name}.request.json").read_text()) | {"model": model}
        answers[name] = (await client.post(f"/v1/{name}", json=body)).json()
    return answers


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in value.items()}
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return [_shape(item) for item in value]
    if isinstance(value, list):
        # What a model offers, or a vector: as long as it happens to be.
        return {type(item) for item in value}
    return type(value)
