"""Which of OpenVINO's requests a call is given. What they compute is in test_engines.py."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bicross.runtime.engine.openvino_graph import OpenVinoGraph

WAIT_S = 30.0


class Request:
    """Runs until it is told to end."""

    def __init__(self) -> None:
        self.begun, self.may_end = Event(), Event()

    def infer(self, feeds: Any, **options: bool) -> None:
        del feeds, options
        self.begun.set()
        assert self.may_end.wait(WAIT_S)

    def get_tensor(self, name: str) -> Any:
        del name
        return SimpleNamespace(data=np.zeros(1, np.float32))


Call = Callable[[OpenVinoGraph], "Future[Any]"]


@pytest.fixture
def call() -> Iterator[Call]:
    with ThreadPoolExecutor(4) as pool:
        yield lambda graph: pool.submit(graph.run, {}, "output")


def test_a_call_that_is_alone_has_all_threads(call: Call) -> None:
    stream, spare = Request(), Request()
    graph = OpenVinoGraph(frozenset(), {}, [stream], spare)
    for _ in range(2):
        running = call(graph)
        assert spare.begun.wait(WAIT_S)
        spare.may_end.set()
        running.result(WAIT_S)
    assert not stream.begun.is_set()


def test_calls_beside_it_have_a_stream_each(call: Call) -> None:
    streams, spare = [Request(), Request()], Request()
    graph = OpenVinoGraph(frozenset(), {}, streams, spare)
    running = []
    for expected in (spare, streams[1], streams[0]):
        running.append(call(graph))
        assert expected.begun.wait(WAIT_S)
    for request in (spare, *streams):
        request.may_end.set()
    for each in running:
        each.result(WAIT_S)


def test_spare_takes_the_call_that_finds_all_streams_busy(call: Call) -> None:
    streams, spare = [Request(), Request()], Request()
    graph = OpenVinoGraph(frozenset(), {}, streams, spare)
    first = call(graph)
    assert spare.begun.wait(WAIT_S)
    running = [call(graph), call(graph)]
    assert all(stream.begun.wait(WAIT_S) for stream in streams)
    spare.may_end.set()
    first.result(WAIT_S)
    spare.begun.clear()
    running.append(call(graph))
    assert spare.begun.wait(WAIT_S)
    for stream in streams:
        stream.may_end.set()
    for each in running:
        each.result(WAIT_S)


def test_call_beyond_all_requests_waits_for_one(call: Call) -> None:
    only = Request()
    graph = OpenVinoGraph(frozenset(), {}, [only], None)
    running = [call(graph), call(graph)]
    assert only.begun.wait(WAIT_S)
    only.may_end.set()
    for each in running:
        each.result(WAIT_S)
