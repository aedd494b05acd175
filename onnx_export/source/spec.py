"""A model, as the hub's id or a local folder, to what is to be exported."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bicross.bundle.heads import Embedding, Rerank
from bicross.bundle.record import Task
from bicross.errors import UnsupportedArchitecture, UsageError
from onnx_export.source.embedding_head import read_embedding_head
from onnx_export.source.hub import ModelFolder
from onnx_export.source.model_files import (
    CLASSIFIER,
    OFFSET_POSITIONS,
    Module,
    first_architecture,
    read_config,
    read_json,
    read_max_tokens,
    read_modules,
)
from onnx_export.source.prompts import PromptChoice, PromptChoices, read_prompts
from onnx_export.source.rerank_head import read_rerank_head

NO_PROMPTS = PromptChoices(PromptChoice(""), PromptChoice(""))


@dataclass(frozen=True)
class Options:
    """What the caller says beside the model; None where the model's own files decide."""

    task: Task | None = None
    label: str | None = None
    name: str | None = None
    max_tokens: int | None = None
    query_prompt: str | None = None
    passage_prompt: str | None = None
    trust_remote_code: bool = False


@dataclass(frozen=True)
class ModelSpec:
    """`head` has 1 as a bi-encoder's dimensions until the model is loaded, which alone knows.

    `is_cut` says that `max_tokens` is not the model's own, so that the original is cut there too.
    """

    folder: ModelFolder
    name: str
    task: Task
    max_tokens: int
    head: Embedding | Rerank
    prompts: PromptChoices
    trust_remote_code: bool
    is_cut: bool

    def with_dimensions(self, dimensions: int) -> "ModelSpec":
        if isinstance(self.head, Rerank):
            return self
        return replace(self, head=self.head.model_copy(update={"dimensions": dimensions}))


def read_spec(folder: ModelFolder, options: Options) -> ModelSpec:
    """Raises `UnsupportedArchitecture`, naming the class or part, and `UsageError` for options that
    the model does not have.
    """
    path = folder.path
    config = read_config(path)
    modules = read_modules(path)
    task = options.task or detect_task(path, config, modules)
    if task == "rerank":
        head: Embedding | Rerank = read_rerank_head(path, config, modules, options.label)
        prompts = NO_PROMPTS
    else:
        prompts = read_prompts(path, options.query_prompt, options.passage_prompt)
        head = read_embedding_head(path, modules, prompts)
    _refuse_idle_options(task, options)
    return ModelSpec(
        folder=folder,
        name=bundle_name(options.name or folder.model),
        task=task,
        max_tokens=_max_tokens(path, config, options.max_tokens),
        head=head,
        prompts=prompts,
        trust_remote_code=options.trust_remote_code,
        # sentence-transformers takes the positions that belong to padding for tokens' own.
        is_cut=options.max_tokens is not None or config.get("model_type") in OFFSET_POSITIONS,
    )


def detect_task(path: Path, config: dict[str, Any], modules: list[Module]) -> Task:
    kind = read_json(path, "config_sentence_transformers.json").get("model_type")
    architecture = first_architecture(config)
    if kind == "CrossEncoder" or (not modules and architecture.endswith(CLASSIFIER)):
        return "rerank"
    if kind not in {None, "SentenceTransformer"}:
        raise UnsupportedArchitecture(
            f"{path.name} is a {kind}; only SentenceTransformer and CrossEncoder are exported"
        )
    if modules:
        return "text_embedding"
    raise UnsupportedArchitecture(
        f"{path.name}: {architecture} is neither a sentence-transformers folder (modules.json) nor "
        f"a {CLASSIFIER}; pass --task text_embedding to take the mean of its token embeddings"
    )


def bundle_name(model: str) -> str:
    """The last part of a hub id or path, with what a name may not hold replaced by `-`."""
    last = model.rstrip("/").rpartition("/")[2]
    name = re.sub(r"[^A-Za-z0-9._-]", "-", last).lstrip("._-")[:128]
    if not name:
        raise UsageError(f"no bundle name can be made of {model!r}; give one with --name")
    return name


def _max_tokens(path: Path, config: dict[str, Any], wanted: int | None) -> int:
    own = read_max_tokens(path, config)
    if wanted is not None and own is not None and wanted > own:
        raise UsageError(f"--max-tokens {wanted}: the model takes at most {own}")
    found = wanted or own
    if found is None:
        raise UsageError(f"{path.name} names no longest sequence; give it with --max-tokens")
    return found


def _refuse_idle_options(task: Task, options: Options) -> None:
    idle = (
        {"--label": options.label}
        if task == "text_embedding"
        else {
            "--query-prompt": options.query_prompt,
            "--passage-prompt": options.passage_prompt,
        }
    )
    for flag, value in idle.items():
        if value is not None:
            raise UsageError(f"{flag} has no meaning for task {task}")
