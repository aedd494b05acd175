"""The manifest of a bundle in the making, from what was written and what is known."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from bicross.bundle import Manifest
from bicross.bundle.layout import TOKENIZER
from bicross.bundle.manifest import (
    Embedding,
    FileRecord,
    Graph,
    PrecisionRecord,
    Rerank,
    Source,
    Task,
    identity,
    identity_digest,
)

TOOLS = (
    "bicross",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "sentence-transformers",
    "tokenizers",
    "torch",
    "transformers",
)


@dataclass(frozen=True)
class Identity:
    """What a bundle is called and, its tokenizer apart, what decides its outputs."""

    name: str
    source: Source
    max_tokens: int
    head: Embedding | Rerank

    @property
    def task(self) -> Task:
        return "rerank" if isinstance(self.head, Rerank) else "text_embedding"


def make_manifest(
    who: Identity,
    graph: Graph,
    precisions: dict[str, PrecisionRecord],
    files: dict[str, FileRecord],
) -> Manifest:
    """`files` are all of the bundle's but manifest.json, tokenizer.json among them."""
    record = identity(
        task=who.task,
        source=who.source,
        tokenizer_sha256=files[TOKENIZER].sha256,
        max_tokens=who.max_tokens,
        head=who.head,
    )
    return Manifest(
        name=who.name,
        digest=identity_digest(record),
        task=who.task,
        source=who.source,
        max_tokens=who.max_tokens,
        embedding=who.head if isinstance(who.head, Embedding) else None,
        rerank=who.head if isinstance(who.head, Rerank) else None,
        graph=graph,
        precisions=precisions,
        files=files,
        tools=tool_versions(),
    )


def tool_versions() -> dict[str, str]:
    """The version of each tool that had a part, of those that are installed."""
    found = {}
    for name in TOOLS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
