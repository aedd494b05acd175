"""The files beside the graph from which other libraries load the same folder."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bicross.bundle.heads import Embedding, Head
from onnx_export.source.model_files import Module, read_json, read_modules

# JSON and text only: never pickles or code, and of weights only those of small modules.
MODEL_FILES = (
    "LICENSE",
    "LICENSE.txt",
    "NOTICE",
    "NOTICE.txt",
    "config_sentence_transformers.json",
    "sentence_bert_config.json",
    "special_tokens_map.json",
    "vocab.txt",
)
MODULES = "modules.json"
TRANSFORMER_CONFIG = "sentence_bert_config.json"
MODEL_CONFIG = "config_sentence_transformers.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
SOURCE_CARD = "README.md"
# The bundle's own README.md is written from its manifest.
KEPT_CARD = "SOURCE_README.md"
# Their weights are a matrix or two, without which other libraries cannot load the folder.
SMALL_MODULES = ("Dense", "LayerNorm")
# sentence-transformers has moved its modules about, but every version since 2 finds them here.
MODULE_CLASSES = frozenset(
    {
        "CNN",
        "Dense",
        "Dropout",
        "LSTM",
        "LayerNorm",
        "Normalize",
        "Pooling",
        "Router",
        "StaticEmbedding",
        "Transformer",
    }
)
POOLING_KEYS = {
    "cls": "pooling_mode_cls_token",
    "max": "pooling_mode_max_tokens",
    "mean": "pooling_mode_mean_tokens",
    "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens",
    "weightedmean": "pooling_mode_weightedmean_tokens",
    "lasttoken": "pooling_mode_lasttoken",
}


def copy_descriptions(source: Path, target: Path) -> None:
    """The model's own files, as they are but for the names of sentence-transformers' classes."""
    modules = read_modules(source)
    for name in [*MODEL_FILES, *_module_files(modules)]:
        _copy(source / name, target / name)
    _copy(source / SOURCE_CARD, target / KEPT_CARD)
    for module in modules:
        if module.kind == "Transformer" and module.path:
            _copy(source / module.path / TRANSFORMER_CONFIG, target / TRANSFORMER_CONFIG)
    if modules:
        _write_json(target / MODULES, [_portable(n, module) for n, module in enumerate(modules)])


def complete_descriptions(target: Path, head: Head, max_tokens: int) -> None:
    """Makes what other libraries read agree with the manifest: pooling, prompts, longest sequence.

    What the model's own files say already stays.
    """
    if isinstance(head, Embedding):
        _complete_modules(target, head)
        if any(module.kind == "Transformer" for module in read_modules(target)):
            limit = read_json(target, TRANSFORMER_CONFIG) | {"max_seq_length": max_tokens}
            _write_json(target / TRANSFORMER_CONFIG, limit)
        _write_json(target / MODEL_CONFIG, _model_config(target, head))
    own = read_json(target, TOKENIZER_CONFIG)
    _write_json(target / TOKENIZER_CONFIG, _tokenizer_config(target, own, max_tokens))


def _module_files(modules: list[Module]) -> Iterator[str]:
    for module in modules:
        if module.path and module.kind != "Transformer":
            yield f"{module.path}/config.json"
        if module.kind in SMALL_MODULES:
            yield f"{module.path}/model.safetensors"


def _portable(index: int, module: Module) -> dict[str, Any]:
    known = module.kind in MODULE_CLASSES and not module.is_foreign
    return {
        "idx": index,
        "name": str(index),
        # The graph takes the transformer's place, and lies in the folder itself.
        "path": "" if module.kind == "Transformer" else module.path,
        "type": f"sentence_transformers.models.{module.kind}" if known else module.type,
    }


def _complete_modules(target: Path, head: Embedding) -> None:
    """A folder without modules.json would be pooled by the mean, whatever its graph does."""
    modes = [mode for mode in head.pooling.split("+") if mode in POOLING_KEYS]
    if (target / MODULES).is_file() or not modes:
        return
    modules = [Module("Transformer", "sentence_transformers.models.Transformer", "")]
    modules.append(Module("Pooling", "sentence_transformers.models.Pooling", "1_Pooling"))
    if head.normalize:
        modules.append(Module("Normalize", "sentence_transformers.models.Normalize", "2_Normalize"))
    _write_json(target / MODULES, [_portable(n, module) for n, module in enumerate(modules)])
    pooling: dict[str, Any] = {"word_embedding_dimension": head.dimensions // len(modes)}
    pooling |= {key: mode in modes for mode, key in POOLING_KEYS.items()}
    _write_json(target / "1_Pooling" / "config.json", pooling)


def _model_config(target: Path, head: Embedding) -> dict[str, Any]:
    """With the prompts under the names that sentence-transformers looks for first."""
    found = read_json(target, MODEL_CONFIG)
    prompts = dict(found.get("prompts") or {})
    prompts |= {"query": head.prompts.query, "document": head.prompts.passage}
    names = {"cosine": "cosine", "dot_product": "dot", "l2_norm": "euclidean"}
    return {
        "model_type": "SentenceTransformer",
        **found,
        "prompts": prompts,
        "similarity_fn_name": found.get("similarity_fn_name") or names[head.similarity],
    }


def _tokenizer_config(target: Path, own: dict[str, Any], max_tokens: int) -> dict[str, Any]:
    """Where a folder holds tokenizer.json alone: others ask this file how it pads and cuts."""
    config = {"tokenizer_class": "PreTrainedTokenizerFast", **own}
    padding = read_json(target, "tokenizer.json").get("padding") or {}
    token = padding.get("pad_token") or _token_of(target, read_json(target, "config.json"))
    if token and "pad_token" not in config:
        config["pad_token"] = token
    return config | {"model_max_length": max_tokens}


def _token_of(target: Path, config: dict[str, Any]) -> str | None:
    """The text of the padding token that config.json names by its id."""
    tokens = read_json(target, "tokenizer.json").get("added_tokens") or []
    wanted = config.get("pad_token_id")
    return next((str(row["content"]) for row in tokens if row.get("id") == wanted), None)


def _copy(file: Path, copy: Path) -> None:
    if file.is_file():
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)


def _write_json(file: Path, value: object) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(value, indent=2, sort_keys=isinstance(value, dict)) + "\n")
