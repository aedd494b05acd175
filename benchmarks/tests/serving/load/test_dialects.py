import base64
import json

import numpy as np
import pytest

from benchmarks.serving.load.dialects import Speech, WrongAnswer

OPENAI = Speech("openai", "bi", "cross")
TEI = Speech("tei", "bi", "cross", "/embed", "/rerank")
VECTORS = np.array([[0.5, 1.0], [2.0, 4.0]], np.float32)


def dumps(body: object) -> bytes:
    return json.dumps(body).encode()


def test_openai_is_asked_by_model_and_input() -> None:
    assert json.loads(OPENAI.embeddings(["a"], "query")) == {"model": "bi", "input": ["a"]}


def test_a_server_that_knows_them_is_sent_input_type_and_base64() -> None:
    speech = Speech("openai", "bi", "cross", encoding="base64", has_input_type=True)
    body = json.loads(speech.embeddings(["a"], "query"))
    assert (body["input_type"], body["encoding_format"]) == ("query", "base64")


def test_tei_is_asked_for_raw_scores() -> None:
    body = json.loads(TEI.rerank("q", ["a", "b"]))
    assert body == {"query": "q", "texts": ["a", "b"], "raw_scores": True}


def test_vectors_stand_in_the_order_of_their_index_whatever_their_form() -> None:
    text = base64.b64encode(VECTORS[0].tobytes()).decode()
    items = [{"index": 1, "embedding": VECTORS[1].tolist()}, {"index": 0, "embedding": text}]
    assert np.array_equal(OPENAI.read_vectors(dumps({"data": items})), VECTORS)
    assert np.array_equal(TEI.read_vectors(dumps(VECTORS.tolist())), VECTORS)


def test_scores_stand_in_the_order_of_the_passages() -> None:
    cohere = {"results": [{"index": 1, "relevance_score": 2}, {"index": 0, "relevance_score": 1}]}
    tei = [{"index": 1, "score": 2}, {"index": 0, "score": 1}]
    assert OPENAI.read_scores(dumps(cohere), 2).tolist() == [1, 2]
    assert TEI.read_scores(dumps(tei), 2).tolist() == [1, 2]


@pytest.mark.parametrize("body", [b"no json", b"{}", b'{"data": [{"index": 0}]}'])
def test_an_answer_without_vectors_is_wrong(body: bytes) -> None:
    with pytest.raises(WrongAnswer):
        OPENAI.read_vectors(body)


def test_a_passage_without_a_score_is_wrong() -> None:
    with pytest.raises(WrongAnswer):
        TEI.read_scores(dumps([{"index": 0, "score": 1}]), 2)
