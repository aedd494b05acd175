"""README.md of a bundle: what it is, how to load it and how it was proven, from its manifest alone.

The same manifest gives the same text. The front matter is that of the hub's model cards.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from bicross.bundle import Manifest
from bicross.bundle.heads import Embedding, LateInteraction, Rerank, Sparse
from bicross.bundle.manifest import FileRecord, PrecisionRecord
from bicross.bundle.record import Task
from bicross.bundle.store import file_sha256
from onnx_export.card_usage import usage

CARD = "README.md"
TITLES: dict[Task, str] = {
    "text_embedding": "dense vectors",
    "sparse_embedding": "token weights (learned sparse)",
    "late_interaction": "a vector for each token (late interaction)",
    "rerank": "relevance of a passage to a query",
}
PIPELINES: dict[Task, str] = {
    "text_embedding": "sentence-similarity",
    "sparse_embedding": "feature-extraction",
    "late_interaction": "feature-extraction",
    "rerank": "text-ranking",
}
LIBRARIES = {"text_embedding": "sentence-transformers", "rerank": "sentence-transformers"}
BOUND = "bound."


def with_model_card(manifest: Manifest, folder: Path) -> Manifest:
    """Writes README.md into `folder`, and gives the manifest that records it.

    The manifest must have its figures by now; its digest does not depend on the card.
    """
    file = folder / CARD
    file.write_text(model_card(manifest))
    record = FileRecord(sha256=file_sha256(file), size=file.stat().st_size)
    return manifest.model_copy(update={"files": {**manifest.files, CARD: record}})


def model_card(manifest: Manifest) -> str:
    parts = [
        *_front_matter(manifest),
        "",
        f"# {manifest.name}",
        "",
        f"ONNX, made by bicross from {_origin(manifest)}: {TITLES[manifest.task]}.",
        "",
        *_table(("what", "value"), _facts(manifest)),
        "",
        *usage(manifest),
        "## How it was proven",
        "",
        *_proof(manifest),
        "## Made with",
        "",
        *_table(("tool", "version"), sorted(manifest.tools.items())),
        "",
    ]
    return "\n".join(parts)


def _front_matter(manifest: Manifest) -> Iterator[str]:
    yield "---"
    yield f"library_name: {LIBRARIES.get(manifest.task, 'bicross')}"
    yield f"pipeline_tag: {PIPELINES[manifest.task]}"
    if manifest.source.license is not None:
        yield f"license: {manifest.source.license}"
    if manifest.source.revision is not None:
        yield f"base_model: {_quoted(manifest.source.model)}"
    yield "tags:"
    yield from (f"- {tag}" for tag in ("bicross", "onnx", manifest.task.replace("_", "-")))
    yield "---"


def _quoted(text: str) -> str:
    """A YAML string; JSON's are."""
    return json.dumps(text)


def _origin(manifest: Manifest) -> str:
    source = manifest.source
    if source.revision is None:
        return f"a local folder, {_code(source.model)}"
    return f"[{source.model}](https://huggingface.co/{source.model}/tree/{source.revision})"


def _facts(manifest: Manifest) -> Iterator[tuple[str, str]]:
    yield "task", manifest.task
    yield from _head_facts(manifest)
    yield "longest sequence", f"{manifest.max_tokens} tokens; longer texts are cut"
    if manifest.source.layers is not None:
        yield "layers kept", str(manifest.source.layers)
    yield "digest", f"`{manifest.digest}`"
    yield "sha256 of the weights", f"`{manifest.source.weights_sha256}`"
    if manifest.source.revision is not None:
        yield "revision", f"`{manifest.source.revision}`"
    yield "licence of the model", manifest.source.license or "not named by its card"


def _head_facts(manifest: Manifest) -> Iterator[tuple[str, str]]:
    head = manifest.head
    if isinstance(head, Rerank):
        yield "labels", str(head.labels)
        if head.labels > 1:
            yield "label that means relevant", str(head.relevance_label)
        yield "activation of the relevance", head.activation
        return
    if isinstance(head, Embedding | Sparse | LateInteraction):
        yield "dimensions", str(head.dimensions)
        yield "prompt of a query", _prompt(head.prompts.query)
        yield "prompt of a passage", _prompt(head.prompts.passage)
    if isinstance(head, Embedding):
        yield "similarity", head.similarity
        yield "pooling", head.pooling
        yield "length one", "yes" if head.normalize else "no"
        if head.matryoshka:
            yield "may be cut to", ", ".join(map(str, head.matryoshka))


def _prompt(text: str) -> str:
    return _code(json.dumps(text)) if text else "none"


def _code(text: str) -> str:
    """A backtick inside, or a line's end, would end it."""
    return f"`{' '.join(text.split(chr(10))).replace('`', chr(39))}`"


def _proof(manifest: Manifest) -> Iterator[str]:
    for name, record in manifest.precisions.items():
        yield f"### {name}: `{record.file}`"
        yield ""
        if isinstance(record.parity, str):
            yield from _unmeasured(manifest, record)
        else:
            yield from _figures(record.parity)
        if record.moved_by_batch is not None:
            yield (
                "With what shares its batch, a number of a text's output moved by "
                f"{_number(record.moved_by_batch)} or less."
            )
            yield ""
        for title, values in (("speed", record.speed), ("graph work", record.graph_work)):
            if values:
                rows = [(key, _number(value)) for key, value in values.items()]
                yield from _table((title, "value"), rows)
                yield ""


def _unmeasured(manifest: Manifest, record: PrecisionRecord) -> Iterator[str]:
    if record.hint is not None:
        yield f"Not measured: the engine is asked to compute in {record.hint}."
    elif "torch" in manifest.tools:
        yield "Not measured."
    else:
        yield (
            "Not measured: the folder held ONNX already, and there was no torch model to compare "
            "with. `goldens.json` holds this graph's own numbers."
        )
    yield ""


def _figures(parity: dict[str, float | str]) -> Iterator[str]:
    """Each figure beside its bound, then what else was noted."""
    bounded = [name for name in parity if f"{BOUND}{name}" in parity]
    rows = [(name, _number(parity[name]), _number(parity[BOUND + name])) for name in bounded]
    if rows:
        yield from _table(("figure", "found", "bound"), rows)
        yield ""
    shown = {*bounded, *(BOUND + name for name in bounded)}
    rest = [(name, _number(value)) for name, value in parity.items() if name not in shown]
    if rest:
        yield from _table(("noted", "value"), rest)
        yield ""


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _row(header)
    yield _row(("---",) * len(header))
    yield from (_row(row) for row in rows)


def _row(cells: tuple[str, ...]) -> str:
    """A bar or a line's end in a cell would end it."""
    safe = (cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
    return f"| {' | '.join(safe)} |"
