"""The tree keeps its promises about size: a file is one idea, a function is short."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 60
MAX_CLASS_FILE_LINES = 250


def tracked(suffix: str) -> list[Path]:
    listing = subprocess.run(  # noqa: S603
        ["git", "ls-files", f"*{suffix}"],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [ROOT / line for line in listing.stdout.splitlines() if (ROOT / line).exists()]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", tracked(".py"), ids=relative)
def test_python_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= MAX_FILE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < MAX_FUNCTION_LINES, node.name


@pytest.mark.parametrize("path", tracked(".java"), ids=relative)
def test_java_classes_are_small(path: Path) -> None:
    assert path.read_text().count("\n") <= MAX_CLASS_FILE_LINES
