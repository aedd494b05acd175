"""manifest.json: what a bundle is, and the digest by which vectors remember it."""

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bicross.bundle.layout import MAX_FILES, TOKENIZER, safe_path
from bicross.errors import InvalidManifest, UnsupportedFormatVersion

FORMAT_VERSION = 1

# Elasticsearch's own names of the task types; further kinds are further names.
Task = Literal["text_embedding", "rerank"]
Similarity = Literal["cosine", "dot_product", "l2_norm"]
Activation = Literal["identity", "sigmoid", "softmax"]
InputType = Literal["query", "passage"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
ModelName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
BundlePath = Annotated[str, AfterValidator(safe_path)]


class Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Source(Record):
    """Where the weights came from. `revision` is the hub's commit, None for a local folder."""

    model: str
    revision: str | None = None
    weights_sha256: Sha256


class Prompts(Record):
    """What the model wants before a text of each input type; empty where it wants nothing."""

    query: str = ""
    passage: str = ""


class Embedding(Record):
    """`pooling` is descriptive: the graph itself pools, projects and normalises."""

    dimensions: Annotated[int, Field(ge=1, le=65_536)]
    similarity: Similarity
    pooling: str
    normalize: bool
    prompts: Prompts = Prompts()


class Rerank(Record):
    """How a head of `labels` outputs becomes one relevance.

    One label: its logit as it is. Several: `relevance_label` against the log-sum-exp of the others.
    """

    labels: Annotated[int, Field(ge=1)]
    relevance_label: Annotated[int, Field(ge=0)] = 0
    activation: Activation

    @model_validator(mode="after")
    def label_exists(self) -> "Rerank":
        if self.relevance_label >= self.labels:
            raise ValueError(f"relevance_label {self.relevance_label} of {self.labels} labels")
        return self


class Graph(Record):
    """Tensor names of the ONNX graph; every input is int64 [batch, length]."""

    inputs: tuple[str, ...]
    output: str
    opset: int


class PrecisionRecord(Record):
    """One graph file. `parity` holds the gate's figures, or says that there was no reference."""

    file: BundlePath
    parity: dict[str, float | str] | Literal["not measured"]


class FileRecord(Record):
    sha256: Sha256
    size: Annotated[int, Field(ge=0)]


class Manifest(Record):
    format_version: Literal[1] = 1
    name: ModelName
    digest: Sha256
    task: Task
    source: Source
    max_tokens: Annotated[int, Field(ge=2, le=1_048_576)]
    embedding: Embedding | None = None
    rerank: Rerank | None = None
    graph: Graph
    precisions: Annotated[dict[str, PrecisionRecord], Field(min_length=1)]
    files: Annotated[dict[BundlePath, FileRecord], Field(min_length=1, max_length=MAX_FILES)]
    tools: dict[str, str] = {}

    @model_validator(mode="after")
    def parts_agree(self) -> "Manifest":
        if (self.embedding is not None) != (self.task == "text_embedding"):
            raise ValueError("`embedding` belongs to task text_embedding, and to no other")
        if (self.rerank is not None) != (self.task == "rerank"):
            raise ValueError("`rerank` belongs to task rerank, and to no other")
        named = {TOKENIZER, *(record.file for record in self.precisions.values())}
        if missing := sorted(named - self.files.keys()):
            raise ValueError(f"files lacks {missing}")
        if self.digest != identity_digest(self.identity()):
            raise ValueError("digest is not the sha256 of what decides an output")
        return self

    def identity(self) -> dict[str, Any]:
        """What decides an output: reports and further precisions are not part of it."""
        return identity(
            task=self.task,
            source=self.source,
            tokenizer_sha256=self.files[TOKENIZER].sha256,
            max_tokens=self.max_tokens,
            head=self.embedding or self.rerank,
        )

    def to_json(self) -> str:
        return canonical_json(self.model_dump(mode="json"), indent=1) + "\n"

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
            return cls.model_validate(raw)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "the whole"
            raise InvalidManifest(f"manifest.json, {field}: {first['msg']}") from None


def identity(
    *,
    task: str,
    source: Source,
    tokenizer_sha256: str,
    max_tokens: int,
    head: Embedding | Rerank | None,
) -> dict[str, Any]:
    """The canonical record whose sha256 is the bundle digest."""
    return {
        "task": task,
        "revision": source.revision,
        "weights_sha256": source.weights_sha256,
        "tokenizer_sha256": tokenizer_sha256,
        "max_tokens": max_tokens,
        "head": head.model_dump(mode="json") if head else None,
    }


def identity_digest(record: dict[str, Any]) -> str:
    return hashlib.sha256(canonical_json(record).encode()).hexdigest()


def canonical_json(value: object, indent: int | None = None) -> str:
    """Sorted keys, no spaces unless indented, ASCII: the same bytes for the same value."""
    separators = (",", ":") if indent is None else None
    return json.dumps(value, sort_keys=True, indent=indent, separators=separators, allow_nan=False)
