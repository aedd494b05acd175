import os
import threading

from bicross.server.scheduling.priority import NICENESS, yield_to_requests


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
