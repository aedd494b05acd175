"""A model, as the hub's id or a local folder, to what is to be exported."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bicross.bundle.manifest import Embedding, Rerank, Task
from bicross.errors import UnsupportedArchitecture, UsageError
from onnx_export.source.hub import ModelFolder
from onnx_export.source.model_files import (
    OFFSET_POSITIONS,
    Module,
    read_activation,
    read_config,
    read_json,
    read_labels,
    read_max_tokens,
    read_modules,
    read_pooling,
    read_similarity,
)
from onnx_export.source.prompts import PromptChoice, PromptChoices, read_prompts

EMBEDDING_MODULES = ("Transformer", "Pooling", "Dense", "Normalize")
CLASSIFIER = "ForSequenceClassification"
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


def read_embedding_head(path: Path, modules: list[Module], prompts: PromptChoices) -> Embedding:
    kinds = [module.kind for module in modules]
    if unknown := [module for module in modules if module.kind not in EMBEDDING_MODULES]:
        raise UnsupportedArchitecture(
            f"{path.name}: module {unknown[0].type}; "
            f"exported are {', '.join(EMBEDDING_MODULES)} of sentence-transformers"
        )
    if modules and kinds[:2] != ["Transformer", "Pooling"]:
        raise UnsupportedArchitecture(
            f"{path.name}: modules {', '.join(kinds)}; a Transformer and a Pooling come first"
        )
    # Without modules.json sentence-transformers pools by the mean.
    pooling, with_prompt = read_pooling(path, modules[1]) if modules else ("mean", True)
    if not with_prompt and (prompts.query.text or prompts.passage.text):
        raise UnsupportedArchitecture(
            f"{path.name}: pooling leaves out the prompt's tokens (include_prompt), "
            "which a graph cannot tell from the text's"
        )
    normalize = kinds[-1:] == ["Normalize"]
    return Embedding(
        dimensions=1,
        similarity=read_similarity(path, normalize=normalize),
        pooling=pooling,
        normalize=normalize,
        prompts=prompts.texts,
    )


def read_rerank_head(
    path: Path, config: dict[str, Any], modules: list[Module], label: str | None
) -> Rerank:
    architecture = first_architecture(config)
    if not architecture.endswith(CLASSIFIER):
        raise UnsupportedArchitecture(
            f"{path.name}: architecture {architecture}; a cross-encoder is a *{CLASSIFIER}"
        )
    if unknown := [module for module in modules if module.kind != "Transformer"]:
        raise UnsupportedArchitecture(
            f"{path.name}: module {unknown[0].type} after a cross-encoder's Transformer"
        )
    saved = read_json(path, "config_sentence_transformers.json")
    if (saved.get("prompts") or {}).get(saved.get("default_prompt_name")):
        raise UnsupportedArchitecture(
            f"{path.name}: the cross-encoder wants the prompt {saved['default_prompt_name']!r} "
            "before its pairs, which is not exported"
        )
    labels = read_labels(config)
    return Rerank(
        labels=len(labels),
        relevance_label=choose_label(labels, label),
        activation=read_activation(path, config, len(labels)),
    )


def choose_label(labels: list[str], wanted: str | None) -> int:
    """The index of the label that means relevant: the only one, else the one that is named."""
    if wanted in labels:
        return labels.index(wanted)
    if wanted is not None and wanted.isdecimal() and int(wanted) < len(labels):
        return int(wanted)
    listed = ", ".join(f"{index} {name}" for index, name in enumerate(labels))
    if wanted is not None:
        raise UsageError(f"--label {wanted!r} is none of the model's labels: {listed}")
    if len(labels) > 1:
        raise UsageError(
            f"the model has {len(labels)} labels ({listed}); "
            "name the one that means relevant with --label"
        )
    return 0


def first_architecture(config: dict[str, Any]) -> str:
    architectures = config.get("architectures") or []
    return str(architectures[0]) if architectures else f"{config.get('model_type')} (no class)"


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
