"""docs/tuning.md's file is one that bicross reads, and its options are the command's."""

import re
from pathlib import Path

from typer.testing import CliRunner

from bicross.cli import app
from bicross.cluster.config import parse_config

DOCS = (Path(__file__).parents[3] / "docs" / "tuning.md").read_text()


def test_the_example_is_a_deployment() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL)
    table = parse_config(example).model("minilm")
    assert (table.engine, table.precision) == ("onnxruntime", "fp32")


def test_every_option_named_is_there() -> None:
    helps = [
        CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"}).output
        for name in ("tune-serving", "serve")
    ]
    for option in set(re.findall(r"`(?:[a-z ]*)(--[a-z-]+)", DOCS)):
        assert any(option in text for text in helps), option
