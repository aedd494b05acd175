"""How a command ends that cannot do what was asked: one line on stderr and a status."""

import sys
from typing import NoReturn

MISSING_PACKAGE = 5
INTERRUPTED = 130
TERMINATED = 143


def fail(message: str, status: int) -> NoReturn:
    # Only here: the commands that end well have no use for it, and it takes a while to import.
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415

    Console(stderr=True).print(f"[bold red]error:[/] {escape(message)}", highlight=False)
    sys.exit(status)
