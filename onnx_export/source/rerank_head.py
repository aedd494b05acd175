"""What a cross-encoder's files say of its logits."""

from pathlib import Path
from typing import Any

from bicross.bundle.heads import Rerank
from bicross.errors import UnsupportedArchitecture, UsageError
from onnx_export.source.model_files import (
    CLASSIFIER,
    Module,
    first_architecture,
    read_activation,
    read_json,
    read_labels,
)
from onnx_export.source.prompts import PromptChoice

LANGUAGE_MODEL = "ForCausalLM"
# Modules that make scores of token embeddings; the last is a Dense.
POOLED_MODULES = ("Pooling", "Dense", "Normalize", "LayerNorm")
SCORES = "scores"


def read_rerank_head(
    path: Path, config: dict[str, Any], modules: list[Module], label: str | None
) -> Rerank:
    """Without its prompt and template, which the loaded model tells."""
    labels = _labels(path, config, modules)
    return Rerank(
        labels=len(labels),
        relevance_label=choose_label(labels, label),
        activation=read_activation(path, config, len(labels)),
    )


def read_pair_prompt(path: Path, given: str | None) -> PromptChoice:
    """What goes before a pair: the caller's text, else the saved default, else nothing.

    Unlike a bi-encoder's, saved prompts that are no default are for callers to choose.
    """
    if given is not None:
        return PromptChoice(given)
    saved = read_json(path, "config_sentence_transformers.json")
    name = saved.get("default_prompt_name")
    text = (saved.get("prompts") or {}).get(name)
    return PromptChoice(text, name) if text else PromptChoice("")


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


def _labels(path: Path, config: dict[str, Any], modules: list[Module]) -> list[str]:
    """The names of the scores that the model gives for a pair."""
    architecture = first_architecture(config)
    if modules and modules[0].kind != "Transformer":
        raise UnsupportedArchitecture(
            f"{path.name}: module {modules[0].type}; a cross-encoder begins with a Transformer"
        )
    head = [module.kind for module in modules[1:]]
    if architecture.endswith(LANGUAGE_MODEL) and head in ([], ["LogitScore"]):
        return ["relevant"]
    if head and head[-1] == "Dense" and set(head) <= set(POOLED_MODULES):
        return _dense_labels(path, modules[-1])
    if head:
        raise UnsupportedArchitecture(
            f"{path.name}: modules {', '.join(head)} after a cross-encoder's Transformer; exported "
            "are none, LogitScore, and a Pooling with a Dense that gives the scores"
        )
    if not architecture.endswith(CLASSIFIER):
        raise UnsupportedArchitecture(
            f"{path.name}: architecture {architecture}; a cross-encoder is a *{CLASSIFIER}, or a "
            f"*{LANGUAGE_MODEL} that scores by a token"
        )
    return read_labels(config)


def _dense_labels(path: Path, module: Module) -> list[str]:
    config = read_json(path, f"{module.path}/config.json")
    if config.get("module_output_name") != SCORES:
        raise UnsupportedArchitecture(
            f"{path.name}: the last module, {module.path}, gives "
            f"{config.get('module_output_name')!r}; a cross-encoder's gives {SCORES!r}"
        )
    return [f"LABEL_{index}" for index in range(int(config.get("out_features") or 1))]
