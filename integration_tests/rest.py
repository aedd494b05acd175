"""Elasticsearch's REST API as a user sees it: a status and a body."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Self

import httpx

Body = Mapping[str, Any]
JSON = {"content-type": "application/json"}


class Rest:
    """Use it as a context manager, so that its connections are closed."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=120)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def call(self, method: str, path: str, body: Body | None = None) -> tuple[int, Any]:
        # As ASCII, so that half of a surrogate pair can be sent, as other languages' clients do.
        content = None if body is None else json.dumps(body)
        response = self.http.request(method, path, content=content, headers=JSON)
        return response.status_code, response.json() if response.content else None

    def ok(self, method: str, path: str, body: Body | None = None) -> Any:  # noqa: ANN401  JSON
        status, answer = self.call(method, path, body)
        assert status < 300, (method, path, status, answer)
        return answer

    def error(self, method: str, path: str, body: Body | None = None) -> tuple[int, str]:
        """Status and the whole error as text; fails where the call was accepted."""
        status, answer = self.call(method, path, body)
        assert status >= 400, (method, path, answer)
        return status, json.dumps(answer)

    def bulk(self, index: str, documents: Iterable[tuple[str, Body]]) -> list[dict[str, Any]]:
        """Each item's outcome, in order, after a refresh."""
        lines = []
        for document_id, document in documents:
            lines += [json.dumps({"index": {"_id": document_id}}), json.dumps(document)]
        response = self.http.post(
            f"/{index}/_bulk?refresh=true",
            content="\n".join(lines) + "\n",
            headers={"content-type": "application/x-ndjson"},
        )
        assert response.status_code == 200, response.text
        return [item["index"] for item in response.json()["items"]]

    def hits(self, index: str, body: Body) -> list[dict[str, Any]]:
        answer = self.ok("POST", f"/{index}/_search", body)
        assert answer["_shards"]["failed"] == 0, answer
        hits: list[dict[str, Any]] = answer["hits"]["hits"]
        return hits

    def vector(self, index: str, document_id: str, field: str = "vector") -> list[float]:
        """The stored vector; 9.x leaves it out of `_source`, so it is asked for as a field."""
        body = {"query": {"ids": {"values": [document_id]}}, "fields": [field]}
        (hit,) = self.hits(index, body)
        return list(hit.get("fields", {}).get(field, []))
