"""docs/export.md says what the commands say, with the gate's own numbers, and its examples run."""

import json
import re
import shlex
import signal
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import typer.main

from bicross.bundle import open_bundle
from bicross.runtime.ranking import samples
from bicross.runtime.ranking.samples import Sample
from bicross.runtime.ranking.standards import STANDARDS
from onnx_export import cli
from onnx_export.gate import judged, tolerance
from onnx_export.gate.judgements import LARGEST_LOSS
from onnx_export.precision.names import PRECISIONS

DOCS = (Path(__file__).parents[2] / "docs" / "export.md").read_text()
MODEL = "sentence-transformers/all-MiniLM-L6-v2"
GROUP = typer.main.get_command(cli.app)
COMMANDS: dict[str, click.Command] = getattr(GROUP, "commands", {})
OPTIONS = [
    (command, option)
    for command, parsed in COMMANDS.items()
    for parameter in parsed.params
    for option in (*parameter.opts, *parameter.secondary_opts)
    if option.startswith("--") and option != "--help"
]


def section(command: str) -> str:
    return DOCS.partition(f"## `onnx-export {command} ")[2].partition("\n## ")[0]


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_each_option_is_explained_under_its_command(command: str, option: str) -> None:
    assert f"{option}`" in section(command)


def test_each_precision_has_a_row() -> None:
    assert re.findall(r"^\| `(\w+)` \|", DOCS, re.MULTILINE)[-len(PRECISIONS) :] == [*PRECISIONS]


@pytest.mark.parametrize("name", STANDARDS)
def test_thresholds_are_the_gates_own(name: str) -> None:
    standard = STANDARDS[name]  # type: ignore[index]  # the parameters are its keys
    cells = [standard.mean_tau, standard.mean_overlap, standard.tau]
    cells += [standard.overlap, standard.cosine]
    (row,) = re.findall(rf"^\| {name}: .*$", DOCS, re.MULTILINE)
    assert [float(cell) for cell in row.split("|")[2:-1]] == cells


@pytest.mark.parametrize(
    "said",
    [
        f"up to {samples.MAX_QUERIES} and {samples.MAX_PASSAGES} texts",
        f"up to {judged.MAX_QUERIES} queries, all\ndocuments up to {judged.MAX_PASSAGES:,}",
        f"up to {judged.POOLED_QUERIES} queries: up to {judged.MAX_JUDGED} judged documents",
        f"{judged.POOL} in all",
        f"below -{LARGEST_LOSS}",
        f"than {tolerance.VECTOR_TOLERANCE:.0e} (vectors".replace("e-0", "e-"),
        "12 queries and 32 passages",
    ],
)
def test_numbers_are_those_of_the_code(said: str) -> None:
    assert said in DOCS


@pytest.mark.torch
def test_examples_run(
    models: Any, sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In their order, with a small model of the same kind in place of the one named."""
    monkeypatch.chdir(tmp_path)
    write_collection(tmp_path / "collections" / "mine", sample)
    write_sample(tmp_path / "my-texts.jsonl", sample)
    block = DOCS.partition("```sh\n")[2].partition("```")[0]
    for line in block.strip().splitlines():
        words = shlex.split(line)
        assert words[0] == "onnx-export"
        run([word.replace(MODEL, str(models.embedding("mean"))) for word in words])
    precisions = open_bundle(tmp_path / "bundles" / "minilm").manifest.precisions
    assert precisions.keys() == {"fp32", "fp16", "bf16"}
    parity = open_bundle(tmp_path / "bundles" / "judged").manifest.precisions["int8_weight"].parity
    assert "ndcg@10.difference" in parity


def run(words: list[str]) -> None:
    before, arguments = signal.getsignal(signal.SIGTERM), sys.argv
    sys.argv, status = words, None
    try:
        cli.main()
    except SystemExit as end:
        status = end.code
    finally:
        sys.argv = arguments
        signal.signal(signal.SIGTERM, before)
    assert not status, words


def write_sample(file: Path, sample: Sample) -> None:
    rows = [{"query": text} for text in sample.queries]
    rows += [{"passage": text} for text in sample.passages]
    file.write_text("\n".join(map(json.dumps, rows)) + "\n")


def write_collection(folder: Path, sample: Sample) -> None:
    """Each query's passage stands at its own place in the sample."""
    (folder / "qrels").mkdir(parents=True)
    rows = [{"_id": f"d{row}", "text": text} for row, text in enumerate(sample.passages)]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    rows = [{"_id": f"q{row}", "text": text} for row, text in enumerate(sample.queries)]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    lines = [f"q{row}\td{row}\t1" for row in range(len(sample.queries))]
    (folder / "qrels" / "test.tsv").write_text(
        "\n".join(["query-id\tcorpus-id\tscore", *lines]) + "\n"
    )
