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
