"""manifest.json: what a bundle is, and the digest by which vectors remember it."""

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from bicross.bundle.heads import Embedding, Head, LateInteraction, Rerank, Sparse
from bicross.bundle.layout import MAX_FILES, TOKENIZER
from bicross.bundle.record import BundlePath, InputType, ModelName, Record, Sha256, Task
from bicross.bundle.sequences import Sequences
from bicross.errors import InvalidManifest, UnsupportedFormatVersion

FORMAT_VERSION = 1
# The field that holds the head of each task.
HEADS: dict[Task, str] = {
    "text_embedding": "embedding",
    "sparse_embedding": "sparse",
    "late_interaction": "late_interaction",
    "rerank": "rerank",
}


class Source(Record):
    """Where the weights came from. `revision` is the hub's commit, None for a local folder.

    `layers` counts the first layers that were kept, None where all were. `license` is the hub's
    identifier of the licence that the model's card names, such as `apache-2.0`.
    """

    model: str
    revision: str | None = None
    weights_sha256: Sha256
    layers: Annotated[int, Field(ge=1)] | None = None
    license: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.+-]{0,63}$")] | None = None


class Graph(Record):
    """Tensor names of an ONNX graph; every input is int64 [batch, length].

    An input `pooling_mask` is 1 where a token is pooled: not on padding, nor on the prompt. A graph
    that `skips_padding` takes it out before its layers: only attention computes on it.
    """

    inputs: tuple[str, ...]
    output: str
    opset: int
    skips_padding: bool = False


class PrecisionRecord(Record):
    """One graph file, or a pair with `query_file`, whose queries go through a graph of their own.

    `parity` holds the gate's figures, or says that they were not measured. With `hint` the file is
    another precision's, and the engine is asked to compute in this one. `speed` compares with fp32
    on the machine of the export; `graph_work` says what was done to the graph. `moved_by_batch` is
    how far a number of a text's output was seen to move with what shared its batch.
    """

    file: BundlePath
    query_file: BundlePath | None = None
    hint: Literal["bf16"] | None = None
    parity: dict[str, float | str] | Literal["not measured"]
    moved_by_batch: Annotated[float, Field(ge=0)] | None = None
    speed: dict[str, float] | None = None
    graph_work: dict[str, float | str] | None = None

    @property
    def files(self) -> tuple[str, ...]:
        return (self.file,) if self.query_file is None else (self.file, self.query_file)


class FileRecord(Record):
    sha256: Sha256
    size: Annotated[int, Field(ge=0)]


class Manifest(Record):
    """`graph` takes passages, and queries too unless `query_graph` does."""

    format_version: Literal[1] = 1
    name: ModelName
    digest: Sha256
    task: Task
    source: Source
    max_tokens: Annotated[int, Field(ge=2, le=1_048_576)]
    padding_side: Literal["left"] | None = None
    sequences: dict[InputType, Sequences] | None = None
    embedding: Embedding | None = None
    sparse: Sparse | None = None
    late_interaction: LateInteraction | None = None
    rerank: Rerank | None = None
    graph: Graph
    query_graph: Graph | None = None
    precisions: Annotated[dict[str, PrecisionRecord], Field(min_length=1)]
    files: Annotated[dict[BundlePath, FileRecord], Field(min_length=1, max_length=MAX_FILES)]
    tools: dict[str, str] = Field(default_factory=dict)

    @property
    def head(self) -> Head:
        found: Head = getattr(self, HEADS[self.task])
        return found

    @property
    def tokenizers(self) -> dict[InputType, str]:
        """The tokenizer file of each input type."""
        own = {kind: rows.tokenizer for kind, rows in (self.sequences or {}).items()}
        return {"query": own.get("query") or TOKENIZER, "passage": own.get("passage") or TOKENIZER}

    @model_validator(mode="after")
    def parts_agree(self) -> "Manifest":
        for task, field in HEADS.items():
            if (getattr(self, field) is not None) != (self.task == task):
                raise ValueError(f"`{field}` belongs to task {task}, and to no other")
        for name, record in self.precisions.items():
            if (record.query_file is None) != (self.query_graph is None):
                raise ValueError(f"precisions.{name}.query_file and query_graph belong together")
        named = {TOKENIZER, *self.tokenizers.values()}
        named |= {file for record in self.precisions.values() for file in record.files}
        if missing := sorted(named - self.files.keys()):
            raise ValueError(f"files lacks {missing}")
        return self

    def identity(self) -> dict[str, Any]:
        """What decides an output: reports and further precisions are not part of it.

        What is absent is left out, so that a bundle keeps its digest when the format gains a field.
        """
        record: dict[str, Any] = {
            "task": self.task,
            "revision": self.source.revision,
            "weights_sha256": self.source.weights_sha256,
            "tokenizer_sha256": self.files[TOKENIZER].sha256,
            "max_tokens": self.max_tokens,
            "head": self.head.model_dump(mode="json", exclude_none=True),
        }
        if self.source.layers is not None:
            record["layers"] = self.source.layers
        if self.sequences is not None:
            record["sequences"] = {
                kind: self._row_identity(rows) for kind, rows in self.sequences.items()
            }
        return record

    def _row_identity(self, rows: Sequences) -> dict[str, Any]:
        """With a tokenizer's bytes instead of its name."""
        found = rows.model_dump(mode="json", exclude_none=True)
        if rows.tokenizer is not None:
            found["tokenizer"] = self.files[rows.tokenizer].sha256
        return found

    def sealed(self) -> "Manifest":
        """With the digest that belongs to it."""
        digest = hashlib.sha256(canonical_json(self.identity()).encode()).hexdigest()
        return self.model_copy(update={"digest": digest})

    def to_json(self) -> str:
        """Without the optional fields that are absent, but for the source's revision."""
        raw = self.model_dump(mode="json", exclude_none=True)
        raw["source"]["revision"] = self.source.revision
        return canonical_json(raw, indent=1) + "\n"

    @classmethod
    def parse(cls, text: str | bytes) -> "Manifest":
        """Raises `InvalidManifest` or `UnsupportedFormatVersion`, naming the field."""
        try:
            raw = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InvalidManifest(f"manifest.json is not JSON: {error}") from None
        if not isinstance(raw, dict):
            raise InvalidManifest("manifest.json is not a JSON object")
        if raw.get("format_version") != FORMAT_VERSION:
            raise UnsupportedFormatVersion(
                f"manifest.json has format_version {raw.get('format_version')!r}; "
                f"this version of bicross reads {FORMAT_VERSION}"
            )
        try:
            manifest = cls.model_validate(raw)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "the whole"
            raise InvalidManifest(f"manifest.json, {field}: {first['msg']}") from None
        if manifest.digest != manifest.sealed().digest:
            raise InvalidManifest(
                "manifest.json, digest: is not the sha256 of what decides an output; export again"
            )
        return manifest


def canonical_json(value: object, indent: int | None = None) -> str:
    """Sorted keys, no spaces unless indented, ASCII: the same bytes for the same value."""
    separators = (",", ":") if indent is None else None
    return json.dumps(value, sort_keys=True, indent=indent, separators=separators, allow_nan=False)
