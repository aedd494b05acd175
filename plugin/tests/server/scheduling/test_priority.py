import os
import sys
import threading

import pytest

from bicross.server.scheduling.priority import (
    INTERPRETER_S,
    NICENESS,
    share_the_interpreter,
    yield_to_requests,
)


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_thread_and_those_that_it_starts_give_way_and_the_others_stay() -> None:
    found: dict[str, int] = {}

    def child() -> None:
        found["child"] = niceness()

    def work() -> None:
        yield_to_requests()
        found["own"] = niceness()
        started = threading.Thread(target=child)
        started.start()
        started.join()

    before = niceness()
    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    # 19 is as nice as a thread can be.
    nicer = min(19, before + NICENESS)
    assert found == {"own": nicer, "child": nicer}
    assert niceness() == before


def test_interpreter_changes_hands_sooner_than_it_does_by_itself() -> None:
    before = sys.getswitchinterval()
    try:
        share_the_interpreter()
        assert sys.getswitchinterval() == pytest.approx(INTERPRETER_S)
        assert sys.getswitchinterval() < before
    finally:
        sys.setswitchinterval(before)
