"""A slow request has one line: what it was and where its time went, and no text of it."""

import logging
from typing import Any

import pytest

from bicross.server.models.catalog import Catalog
from bicross.server.telemetry.slow_log import MOST_LINES, PER_S, SlowLog
from bicross.server.telemetry.stages import Stages

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def stages_of(seconds: float) -> Stages:
    return Stages(began=10.0, ended=10.0 + seconds)


def fields(message: str) -> dict[str, str]:
    assert message.startswith("slow request: ")
    return dict(part.split("=") for part in message.removeprefix("slow request: ").split(" "))


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == "bicross.server.slow"]


def test_line_has_what_the_request_was_and_its_time_by_stage(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stages = Stages(1.0, model="m@12", lane="search", texts=3, tokens=70, ended=3.5)
    stages.add("tokenize", 1.0, 1.25)
    stages.add("queue", 1.25, 1.75)
    stages.add("infer", 1.75, 3.0)
    SlowLog(1000).see("/v1/rerank", 200, stages, TRACE)
    (message,) = messages(caplog)
    assert fields(message) == {
        "route": "/v1/rerank",
        "status": "200",
        "model": "m@12",
        "lane": "search",
        "texts": "3",
        "tokens": "70",
        "ms": "2500.0",
        "tokenize_ms": "250.0",
        "queue_ms": "500.0",
        "infer_ms": "1250.0",
        "serialize_ms": "-",
        "code": "-",
        "trace_id": TRACE,
    }
    assert caplog.records[0].levelno == logging.WARNING


@pytest.mark.parametrize(("threshold_ms", "seconds"), [(1000, 0.999), (0, 3600.0)])
def test_request_below_the_threshold_and_any_with_none_has_no_line(
    threshold_ms: int, seconds: float, caplog: pytest.LogCaptureFixture
) -> None:
    SlowLog(threshold_ms).see("/v1/rerank", 200, stages_of(seconds), None)
    assert messages(caplog) == []


def test_lines_are_few_and_the_next_counts_those_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = 0.0
    log = SlowLog(1, clock=lambda: now)
    for _ in range(MOST_LINES + 7):
        log.see("/v1/rerank", 200, stages_of(1.0), None)
    assert len(messages(caplog)) == MOST_LINES
    now = PER_S
    log.see("/v1/rerank", 200, stages_of(1.0), None)
    log.see("/v1/rerank", 200, stages_of(1.0), None)
    assert len(messages(caplog)) == MOST_LINES + 2
    assert fields(messages(caplog)[-2])["left_out"] == "7"
    assert "left_out" not in fields(messages(caplog)[-1])


async def test_answered_request_shows_its_model_and_trace_and_none_of_its_texts(
    served: Any,
    loaded_catalog: Catalog,
    rerank_body: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with served(loaded_catalog, slow_request_ms=1) as (client, _):
        documents = ["the cat sat on the mat"] * 400
        await client.post(
            "/v1/rerank",
            json={**rerank_body, "documents": documents},
            headers={"traceparent": TRACEPARENT},
        )
    line = fields(messages(caplog)[0])
    assert line["model"] == loaded_catalog.find("tiny-cross", "rerank").label
    assert (line["lane"], line["texts"], line["status"]) == ("search", "400", "200")
    assert line["trace_id"] == TRACE
    assert all(float(line[f"{s}_ms"]) >= 0 for s in ("tokenize", "queue", "infer", "serialize"))
    assert "cat" not in " ".join(messages(caplog))


def test_refused_request_shows_its_code(caplog: pytest.LogCaptureFixture) -> None:
    log = SlowLog(1)
    stages = stages_of(1.0)
    stages.code = "deadline_exceeded"
    log.see("/v1/embeddings", 504, stages, None)
    assert fields(messages(caplog)[0])["code"] == "deadline_exceeded"
