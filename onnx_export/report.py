"""What the commands print: steps on stderr while they run, the result on stdout."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bicross.bundle import Bundle, Manifest
from bicross.runtime.ranking.samples import Sample, shortened
from onnx_export.check import Finding

SHORT_DIGEST = 12


@contextmanager
def steps() -> Iterator[Callable[[str], None]]:
    """A function that names the step now begun; the one before it is printed with its seconds."""
    console = Console(stderr=True)
    begun: list[tuple[str, float]] = []

    def finish() -> None:
        if begun:
            text, start = begun.pop()
            console.print(
                f"{escape(text)} [dim]{time.monotonic() - start:.1f} s[/]", highlight=False
            )

    def narrate(text: str) -> None:
        finish()
        begun.append((text, time.monotonic()))
        status.update(escape(text))

    with console.status("starting") as status:
        yield narrate
        finish()


def print_manifest(
    manifest: Manifest, out: Path, sample: Sample | None = None, *, as_json: bool
) -> None:
    """With the `sample` that the gate ran, the worst case is shown with its texts."""
    summary = summarise(manifest, out)
    if as_json:
        print(json.dumps(summary, indent=1))  # noqa: T201  the result itself
        return
    table = Table(title=f"{manifest.name}@{manifest.digest[:SHORT_DIGEST]}", show_header=False)
    for key, value in summary.items():
        if key != "precisions":
            table.add_row(key, escape(str(value)))
    for precision, record in manifest.precisions.items():
        for figure, value in _headline(record.parity).items():
            table.add_row(f"{precision} {figure}", value)
        if sample is not None and (told := _worst_swap(record.parity, sample)):
            table.add_row(f"{precision} worst swap", escape(told))
    Console().print(table)


def print_check(
    bundle: Bundle,
    findings: list[Finding],
    gate: dict[str, float | str] | str,
    *,
    as_json: bool,
) -> None:
    manifest = bundle.manifest
    if as_json:
        found = {finding.precision: finding.figures for finding in findings}
        result = {"bundle": str(bundle.path), "digest": manifest.digest, "goldens": found}
        print(json.dumps(result | {"gate": gate}, indent=1))  # noqa: T201  the result itself
        return
    table = Table(title=f"{manifest.name}@{manifest.digest[:SHORT_DIGEST]}", show_header=False)
    table.add_row("files", f"{len(manifest.files)} verified")
    for finding in findings:
        for figure, value in _headline(finding.figures).items():
            table.add_row(f"{finding.precision} goldens {figure}", value)
    for figure, value in _headline(gate).items():
        table.add_row(f"gate {figure}", escape(value))
    Console().print(table)


def summarise(manifest: Manifest, out: Path) -> dict[str, object]:
    """The manifest without its file list, flat enough to read."""
    return {
        "bundle": str(out),
        "name": manifest.name,
        "digest": manifest.digest,
        "task": manifest.task,
        "max_tokens": manifest.max_tokens,
        **manifest.head.model_dump(mode="json", exclude_none=True),
        "source": manifest.source.model_dump(mode="json"),
        "bytes": sum(record.size for record in manifest.files.values()),
        "precisions": {
            name: record.model_dump(mode="json") for name, record in manifest.precisions.items()
        },
    }


def _worst_swap(parity: dict[str, float | str] | str, sample: Sample) -> str:
    """Two passages that changed places, by the numbers that the gate kept of them."""
    if isinstance(parity, str) or "swap.query" not in parity:
        return ""
    query, higher, lower = (int(parity[f"swap.{name}"]) for name in ("query", "higher", "lower"))
    gap = float(parity["swap.reference_gap"])
    return (
        f"{shortened(sample.queries[query])}: {shortened(sample.passages[higher])} "
        f"({gap:.3g} ahead in torch) fell below {shortened(sample.passages[lower])}"
    )


def _headline(parity: dict[str, float | str] | str) -> dict[str, str]:
    """The worst figures; the ones of each batch size stay in manifest.json."""
    if isinstance(parity, str):
        return {"parity": parity}
    shown = {}
    for name, value in parity.items():
        if f"bound.{name}" in parity:
            shown[name] = f"{value:.3g} (bound {parity[f'bound.{name}']:.3g})"
        elif isinstance(value, str):
            shown[name] = value
    if "whole.layers" in parity:
        shown["beside the whole model"] = _cost_of_layers(parity)
    return shown


def _cost_of_layers(parity: dict[str, float | str]) -> str:
    """What the layers that were left out did to the ranking; the gate does not ask."""
    return (
        f"of {parity['whole.layers']:g} layers, Kendall tau {parity['whole.mean_kendall_tau']:.3f} "
        f"(worst {parity['whole.min_kendall_tau']:.3f}), top-10 overlap "
        f"{parity['whole.mean_top10_overlap']:.3f} (worst {parity['whole.min_top10_overlap']:.3f})"
    )
