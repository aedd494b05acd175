"""A model, as the hub's id or a local folder, to what is to be exported."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bicross.bundle.heads import Embedding, Head
from bicross.bundle.record import InputType, Task
from bicross.bundle.sequences import Sequences
from bicross.errors import UnsupportedArchitecture, UsageError
from onnx_export.source.embedding_head import pools_prompts, read_embedding_head
from onnx_export.source.hub import ModelFolder
from onnx_export.source.late_interaction_head import (
    PYLATE,
    STANFORD,
    read_late_interaction_head,
)
from onnx_export.source.limits import Limit, read_limit, read_route_limits
from onnx_export.source.matryoshka import Cut, read_cut
from onnx_export.source.model_files import (
    CLASSIFIER,
    Module,
    first_architecture,
    module_folder,
    read_config,
    read_json,
    read_modules,
)
from onnx_export.source.prompts import PromptChoice, PromptChoices, read_prompts
from onnx_export.source.rerank_head import read_pair_prompt, read_rerank_head
from onnx_export.source.routes import Route, read_routes
from onnx_export.source.sparse_head import MASKED_LM, read_sparse_head

# The options that mean nothing for a task.
IDLE: dict[Task, tuple[str, ...]] = {
    "text_embedding": ("label",),
    "sparse_embedding": ("label", "dimensions", "matryoshka"),
    "late_interaction": ("label", "dimensions", "matryoshka"),
    "rerank": ("passage_prompt", "dimensions", "matryoshka"),
}


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
    dimensions: int | None = None
    matryoshka: tuple[int, ...] | None = None
    layers: int | None = None
    keep_padding: bool = False


@dataclass(frozen=True)
class ModelSpec:
    """`head` has 1 as a bi-encoder's dimensions until the model is loaded, which alone knows.

    `is_cut` says that `max_tokens` is not the model's own, so that the original is cut there too.
    A cross-encoder has no `routes`, and one limit; `max_tokens` is the passages'.
    """

    folder: ModelFolder
    name: str
    task: Task
    max_tokens: int
    head: Head
    prompts: PromptChoices
    trust_remote_code: bool
    is_cut: bool
    routes: dict[InputType, Route] = field(default_factory=dict)
    limits: dict[InputType, Limit] = field(default_factory=dict)
    cut: Cut = field(default_factory=Cut)
    sequences: dict[InputType, Sequences] | None = None
    pools_prompts: bool = True
    layers: int | None = None
    keep_padding: bool = False

    def with_dimensions(self, dimensions: int) -> "ModelSpec":
        """`dimensions` are the model's own. Raises `UsageError` where more were asked for."""
        if not isinstance(self.head, Embedding):
            return self
        return replace(self, head=self.cut.apply(self.head, dimensions))

    @property
    def pools_apart(self) -> bool:
        """Whether the graph must be told which tokens are the prompt's."""
        return not self.pools_prompts and any((self.prompts.query.text, self.prompts.passage.text))


def read_spec(folder: ModelFolder, options: Options) -> ModelSpec:
    """Raises `UnsupportedArchitecture`, naming the class or part, and `UsageError` for options that
    the model does not have.
    """
    path = folder.path
    modules = read_modules(path)
    config = _entry_config(path, modules)
    task = options.task or detect_task(path, config, modules)
    _refuse_idle_options(task, options)
    common: dict[str, Any] = {
        "folder": folder,
        "name": bundle_name(options.name or _default_name(folder.model, options.layers)),
        "task": task,
        "trust_remote_code": options.trust_remote_code,
        "layers": options.layers,
        "keep_padding": options.keep_padding,
    }
    if task == "rerank":
        limit = read_limit(path, config, options.max_tokens)
        return ModelSpec(
            **common,
            max_tokens=limit.max_tokens,
            is_cut=limit.is_cut,
            head=read_rerank_head(path, config, modules, options.label),
            prompts=PromptChoices(read_pair_prompt(path, options.query_prompt), PromptChoice("")),
        )
    common["prompts"] = read_prompts(path, options.query_prompt, options.passage_prompt)
    if task == "late_interaction":
        limit = read_limit(path, config, options.max_tokens)
        return ModelSpec(
            **common,
            max_tokens=limit.max_tokens,
            is_cut=limit.is_cut,
            head=read_late_interaction_head(path, config, modules, common["prompts"]),
        )
    return _routed_spec(common, config, modules, options)


def _routed_spec(
    common: dict[str, Any], config: dict[str, Any], modules: list[Module], options: Options
) -> ModelSpec:
    """Of a model whose queries may go through other modules than its passages."""
    path: Path = common["folder"].path
    prompts: PromptChoices = common["prompts"]
    routes = read_routes(path, modules)
    if common["task"] == "sparse_embedding":
        head: Head = read_sparse_head(path, config, routes, prompts)
        cut, pools = Cut(), True
    else:
        head = read_embedding_head(path, config, routes, prompts)
        cut = read_cut(path, options.dimensions, options.matryoshka)
        pools = pools_prompts(path, routes)
    limits = read_route_limits(path, routes, options.max_tokens)
    return ModelSpec(
        **common,
        max_tokens=limits["passage"].max_tokens,
        is_cut=any(limit.is_cut for limit in limits.values()),
        head=head,
        routes=routes,
        limits=limits,
        cut=cut,
        pools_prompts=pools,
    )


def _entry_config(path: Path, modules: list[Module]) -> dict[str, Any]:
    """config.json of the transformer that a text enters; a static embedding has none."""
    if not modules:
        return read_config(path)
    return read_json(module_folder(path, modules[0]), "config.json")


def detect_task(path: Path, config: dict[str, Any], modules: list[Module]) -> Task:
    saved = read_json(path, "config_sentence_transformers.json")
    kind = saved.get("model_type")
    architecture = first_architecture(config)
    if kind == "CrossEncoder" or (not modules and architecture.endswith(CLASSIFIER)):
        return "rerank"
    if kind == "SparseEncoder":
        return "sparse_embedding"
    # PyLate's first folders name no type, only the markers before queries and passages.
    marked = "query_prefix" in saved or "document_prefix" in saved
    if kind in {"MultiVectorEncoder", PYLATE} or architecture == STANFORD or marked:
        return "late_interaction"
    if kind not in {None, "SentenceTransformer"}:
        raise UnsupportedArchitecture(
            f"{path.name} is a {kind}; exported are SentenceTransformer, SparseEncoder, "
            "MultiVectorEncoder and CrossEncoder"
        )
    if modules:
        return "text_embedding"
    raise UnsupportedArchitecture(
        f"{path.name}: {architecture} is neither a sentence-transformers folder (modules.json) nor "
        f"a {CLASSIFIER}; pass --task text_embedding to take the mean of its token embeddings, "
        f"--task sparse_embedding for a *{MASKED_LM} trained to give token weights, or --task "
        "rerank for a language model that scores by the token `yes`"
    )


def _default_name(model: str, layers: int | None) -> str:
    return model if layers is None else f"{model}-l{layers}"


def bundle_name(model: str) -> str:
    """The last part of a hub id or path, with what a name may not hold replaced by `-`."""
    last = model.rstrip("/").rpartition("/")[2]
    name = re.sub(r"[^A-Za-z0-9._-]", "-", last).lstrip("._-")[:128]
    if not name:
        raise UsageError(f"no bundle name can be made of {model!r}; give one with --name")
    return name


def _refuse_idle_options(task: Task, options: Options) -> None:
    for name in IDLE[task]:
        if getattr(options, name) is not None:
            raise UsageError(f"--{name.replace('_', '-')} has no meaning for task {task}")
