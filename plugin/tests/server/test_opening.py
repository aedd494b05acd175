"""What a start imports before its models load."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "absent"),
    [("bicross.server.opening", ("fastapi", "uvicorn")), ("bicross.cli", ("rich", "numpy"))],
)
def test_what_is_slow_to_import_and_not_needed_yet_waits(
    module: str, absent: tuple[str, ...]
) -> None:
    code = f"import sys, {module}; print([name for name in {absent!r} if name in sys.modules])"
    done = subprocess.run(  # noqa: S603  our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
