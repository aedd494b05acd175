"""How a command ends that cannot do what was asked: one line on stderr and a status."""

import sys
from typing import NoReturn

from rich.console import Console
from rich.markup import escape

MISSING_PACKAGE = 5
INTERRUPTED = 130
TERMINATED = 143


def fail(message: str, status: int) -> NoReturn:
    Console(stderr=True).print(f"[bold red]error:[/] {escape(message)}", highlight=False)
    sys.exit(status)
