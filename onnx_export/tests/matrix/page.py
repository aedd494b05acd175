"""docs/models.md, written from the recorded matrix."""

from pathlib import Path

from onnx_export.precision.names import BASIS, PRECISIONS
from onnx_export.tests.matrix.results import DOCS, MatrixResult, RowResult

PAGE = DOCS / "models.md"
TITLES = {
    "text_embedding": "Bi-encoders",
    "rerank": "Cross-encoders",
    "sparse_embedding": "Learned sparse encoders",
    "late_interaction": "Late interaction",
}
INTRODUCTION = """# Which models work

Each row is a small model of the library's own class: a real configuration with seeded random
weights, drawn wide so that scores spread. It was exported through `onnx-export model`, whose gate
compares numbers and rankings; its bundle was opened, run, and compared once more with what
sentence-transformers gives when it is called as its users call it. **1 - cosine** is that of the
worst output, **tau** Kendall's of the worst query, both of float32. A further precision is *kept*
where its own gate let it through on these weights, and *refused* where not. Random weights are
harder than trained ones for few bits: measure your own model, the export does it for you.
"""
UNTESTED = """## Not tested

These need code from their own repositories, which was not at hand: GTE's *new* implementation
(`Alibaba-NLP/new-impl`), the remote-code versions of NomicBERT and of Jina's embeddings 2 and 3,
Stella and other `custom_st` modules. They are refused unless `--trust-remote-code` is given; that
the flag runs such code, and that the gate then judges the graph, is shown with a module of our own.

## Refused by name

`WordWeights`, `BoW`, `WordEmbeddings`, `CNN`, `LSTM`, `WeightedLayerPooling` and `CLIPModel` of
sentence-transformers; tokenizers without a `tokenizer.json`, and those that cut long texts on the
left; routes of which only one ends in `Normalize`, or that end in different dimensions.

## Lengths

A static embedding (model2vec) takes any length. Its bundle states 32,768 tokens, special tokens
are not added, and `--max-tokens` sets another limit. Where a Router's sides take different lengths,
each keeps its own.
"""


def render(result: MatrixResult) -> str:
    parts = [INTRODUCTION, _circumstances(result)]
    for task, title in TITLES.items():
        rows = {key: row for key, row in result.rows.items() if row.task == task}
        if rows:
            parts.append(_table(title, rows))
    if failed := {key: row for key, row in result.rows.items() if row.failure}:
        lines = [f"- `{key}`, {row.architecture}: {row.failure}" for key, row in failed.items()]
        parts.append("## Not exported\n\n" + "\n".join(lines) + "\n")
    return "\n".join([*parts, UNTESTED])


def write(result: MatrixResult, page: Path = PAGE) -> None:
    page.write_text(render(result))


def _circumstances(result: MatrixResult) -> str:
    tools = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    return (
        f"Recorded by `make matrix` at commit `{result.commit}` ({result.sample}) with {tools}. "
        "One row again: `python -m onnx_export.tests.matrix.record NAME`.\n"
    )


def _table(title: str, rows: dict[str, RowResult]) -> str:
    lines = [
        f"## {title}\n",
        "| architecture | head | opset | 1 - cosine | tau | kept | refused | row |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for key, row in rows.items():
        exact = row.precisions[BASIS]
        kept = [name for name in PRECISIONS if name in row.precisions]
        cells = [
            row.architecture,
            row.head,
            str(row.opset),
            f"{max(exact.cosine_gap, 0.0):.0e}",
            f"{exact.tau:g}",
            " ".join(kept) or "-",
            " ".join(row.refused) or "-",
            f"`{key}`",
        ]
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(lines) + "\n"
