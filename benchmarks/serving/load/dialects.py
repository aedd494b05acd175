"""How servers want to be asked, and what proves that an answer is one."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from benchmarks.serving.quality import Array

Dialect = Literal["openai", "tei"]
Encoding = Literal["float", "base64"]
DIALECTS: tuple[Dialect, ...] = ("openai", "tei")


class WrongAnswer(Exception):
    """The server answered, but not what was asked."""


@dataclass(frozen=True)
class Speech:
    """What one server understands: `openai` for embeddings goes with Cohere's shape for rerank.

    `input_type` is only sent to servers that know it; so is `encoding`.
    """

    dialect: Dialect
    bi: str
    cross: str
    embeddings_path: str = "/v1/embeddings"
    rerank_path: str = "/v1/rerank"
    encoding: Encoding = "float"
    has_input_type: bool = False

    def embeddings(self, texts: Sequence[str], input_type: str) -> bytes:
        if self.dialect == "tei":
            return _json({"inputs": list(texts), "truncate": True})
        body: dict[str, Any] = {"model": self.bi, "input": list(texts)}
        if self.encoding == "base64":
            body["encoding_format"] = "base64"
        if self.has_input_type:
            body["input_type"] = input_type
        return _json(body)

    def rerank(self, query: str, passages: Sequence[str]) -> bytes:
        if self.dialect == "tei":
            return _json({"query": query, "texts": list(passages), "raw_scores": True})
        return _json({"model": self.cross, "query": query, "documents": list(passages)})

    def read_vectors(self, body: bytes) -> Array:
        """[texts, dimensions]. Raises `WrongAnswer`."""
        try:
            answer = json.loads(body)
            if self.dialect == "tei":
                return np.asarray(answer, np.float32)
            ordered = sorted(answer["data"], key=lambda item: item["index"])
            return np.stack([_vector(item["embedding"]) for item in ordered])
        except (ValueError, KeyError, TypeError) as error:
            raise WrongAnswer(f"no embeddings in {body[:80]!r}") from error

    def read_scores(self, body: bytes, passages: int) -> Array:
        """In the order of the passages. Raises `WrongAnswer`."""
        tei = self.dialect == "tei"
        try:
            answer = json.loads(body)
            results = answer if tei else answer["results"]
            name = "score" if tei else "relevance_score"
            scores = {item["index"]: item[name] for item in results}
            return np.array([scores[index] for index in range(passages)], np.float32)
        except (ValueError, KeyError, TypeError) as error:
            raise WrongAnswer(f"no scores in {body[:80]!r}") from error


def _vector(value: Any) -> Array:  # noqa: ANN401  a list or base64
    if isinstance(value, str):
        return np.frombuffer(base64.b64decode(value), "<f4")
    return np.asarray(value, np.float32)


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()
