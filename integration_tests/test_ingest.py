"""`bicross_embed`: documents through the node's own pipeline."""

from typing import Any

import pytest
from animals import animal_documents, index_body
from rest import Rest
from server_process import ServerProcess

EMBED = {
    "model_id": "tiny-bi",
    "input_output": [{"input_field": "text", "output_field": "vector"}],
}


def put_pipeline(rest: Rest, name: str, **changes: Any) -> None:  # noqa: ANN401  JSON
    body = {"processors": [{"bicross_embed": {**EMBED, **changes}}]}
    rest.ok("PUT", f"/_ingest/pipeline/{name}", body)


def served_vector(server: ServerProcess, text: str) -> list[float]:
    body = {"model": "tiny-bi", "input": text, "input_type": "passage"}
    answer = server.post("/v1/embeddings", body).json()
    return list(answer["data"][0]["embedding"])


def test_the_index_holds_the_vector_that_the_server_gives(
    rest: Rest, server: ServerProcess, index: str
) -> None:
    rest.bulk(index, [("1", {"text": "a cat on a mat"})])
    assert rest.vector(index, "1") == pytest.approx(
        served_vector(server, "a cat on a mat"), abs=1e-6
    )


def test_a_bulk_of_500_documents_reaches_the_server_in_at_most_40_requests(
    rest: Rest, server: ServerProcess, index: str
) -> None:
    before = server.requests("/v1/embeddings")
    outcomes = rest.bulk(index, animal_documents(500))
    assert [outcome["status"] for outcome in outcomes] == [201] * 500
    assert (
        rest.ok("GET", f"/{index}/_count", {"query": {"exists": {"field": "vector"}}})["count"]
        == 500
    )
    assert server.requests("/v1/embeddings") - before <= 40


BAD_TEXTS: dict[str, dict[str, Any]] = {
    "missing": {},
    "null": {"text": None},
    "empty": {"text": ""},
    "blank": {"text": " \n\t"},
    "number": {"text": 3},
    "object": {"text": {"en": "a cat"}},
    "list": {"text": ["a cat", "a dog"]},
}


@pytest.mark.parametrize("document", BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_a_field_that_holds_no_text_fails_its_own_document_alone(
    rest: Rest, pipeline: str, index: str, document: dict[str, Any]
) -> None:
    del pipeline
    good = ("good", {"text": "a cat on a mat"})
    bad, neighbour = rest.bulk(index, [("bad", document), good])
    assert (bad["status"], neighbour["status"]) == (400, 201)
    assert "text" in bad["error"]["reason"]


@pytest.mark.parametrize("kind", ["missing", "null"])
def test_ignore_missing_indexes_the_document_without_a_vector(
    rest: Rest, index: str, kind: str
) -> None:
    put_pipeline(rest, "lenient", ignore_missing=True)
    rest.ok("PUT", f"/{index}/_settings", {"index.default_pipeline": "lenient"})
    (outcome,) = rest.bulk(index, [("1", {**BAD_TEXTS[kind], "tag": "cat"})])
    assert outcome["status"] == 201
    assert rest.vector(index, "1") == []


def test_a_wrong_type_is_an_error_even_where_missing_is_ignored(rest: Rest, index: str) -> None:
    put_pipeline(rest, "lenient", ignore_missing=True)
    rest.ok("PUT", f"/{index}/_settings", {"index.default_pipeline": "lenient"})
    (outcome,) = rest.bulk(index, [("1", {"text": 3})])
    assert outcome["status"] == 400


def test_indexing_again_replaces_the_vector(rest: Rest, server: ServerProcess, index: str) -> None:
    rest.bulk(index, [("1", {"text": "a cat on a mat"})])
    rest.bulk(index, [("1", {"text": "stock prices fell", "vector": [1.0] * 16})])
    expected = served_vector(server, "stock prices fell")
    assert rest.vector(index, "1") == pytest.approx(expected, abs=1e-6)


def test_several_fields_with_dotted_paths_are_embedded_at_once(
    rest: Rest, server: ServerProcess
) -> None:
    fields = [
        {"input_field": "title.en", "output_field": "vectors.title"},
        {"input_field": "text", "output_field": "vectors.text"},
    ]
    put_pipeline(rest, "two", input_output=fields)
    answer = rest.ok(
        "POST",
        "/_ingest/pipeline/two/_simulate",
        {"docs": [{"_source": {"title": {"en": "a cat"}, "text": "a dog"}}]},
    )
    vectors = answer["docs"][0]["doc"]["_source"]["vectors"]
    assert vectors["title"] == pytest.approx(served_vector(server, "a cat"), abs=1e-6)
    assert vectors["text"] == pytest.approx(served_vector(server, "a dog"), abs=1e-6)


def test_a_mapping_of_other_dimensions_refuses_the_document(rest: Rest, pipeline: str) -> None:
    rest.call("DELETE", "/narrow")
    rest.ok("PUT", "/narrow", index_body(pipeline, dims=8))
    (outcome,) = rest.bulk("narrow", [("1", {"text": "a cat"})])
    assert outcome["status"] == 400
    assert "[8]" in str(outcome["error"])


@pytest.mark.parametrize(
    ("model_id", "status", "told"),
    [
        ("e5", 400, "tiny-bi, tiny-cross"),
        ("tiny-cross", 400, "[rerank]"),
        ("tiny-bi@ffffffffffff", 502, "digest"),
    ],
    ids=["unknown", "rerank model", "other digest"],
)
def test_a_model_that_cannot_embed_fails_the_document_saying_why(
    rest: Rest, index: str, model_id: str, status: int, told: str
) -> None:
    put_pipeline(rest, "odd", model_id=model_id)
    rest.ok("PUT", f"/{index}/_settings", {"index.default_pipeline": "odd"})
    (outcome,) = rest.bulk(index, [("1", {"text": "a cat"})])
    assert outcome["status"] == status
    assert model_id in str(outcome["error"])
    assert told in str(outcome["error"])


def test_a_model_may_be_named_with_its_digest(
    rest: Rest, server: ServerProcess, index: str
) -> None:
    models = {model["id"]: model for model in server.get("/v1/models").json()["data"]}
    put_pipeline(rest, "pinned", model_id=f"tiny-bi@{models['tiny-bi']['digest'][:12]}")
    rest.ok("PUT", f"/{index}/_settings", {"index.default_pipeline": "pinned"})
    (outcome,) = rest.bulk(index, [("1", {"text": "a cat"})])
    assert outcome["status"] == 201


BAD_PROCESSORS = {
    "no model_id": ({"model_id": None}, "model_id"),
    "unknown option": ({"field_map": {}}, "field_map"),
    "a URL": ({"model_id": "http://127.0.0.1:1/v1"}, "model_id"),
    "no fields": ({"input_output": []}, "input_output"),
    "same field": (
        {"input_output": [{"input_field": "text", "output_field": "text"}]},
        "output_field",
    ),
}


@pytest.mark.parametrize(("changes", "told"), BAD_PROCESSORS.values(), ids=BAD_PROCESSORS)
def test_a_wrong_processor_is_refused_when_the_pipeline_is_put(
    rest: Rest, changes: dict[str, Any], told: str
) -> None:
    embed = {name: value for name, value in {**EMBED, **changes}.items() if value is not None}
    status, error = rest.error(
        "PUT", "/_ingest/pipeline/wrong", {"processors": [{"bicross_embed": embed}]}
    )
    assert status == 400
    assert told in error


def test_the_processors_every_pipeline_has_parameters_for_work_here(rest: Rest, index: str) -> None:
    on_failure = [{"bicross_embed": {**EMBED, "input_output": [
        {"input_field": "tag", "output_field": "vector"}]}}]  # fmt: skip
    put_pipeline(rest, "rescued", on_failure=on_failure, tag="main", description="text or tag")
    rest.ok("PUT", f"/{index}/_settings", {"index.default_pipeline": "rescued"})
    (outcome,) = rest.bulk(index, [("1", {"tag": "cat"})])
    assert outcome["status"] == 201
    assert len(rest.vector(index, "1")) == 16
