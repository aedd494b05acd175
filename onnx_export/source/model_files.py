"""What a model folder says of itself, read from its JSON files without torch.

The folder is sentence-transformers' (modules.json and its parts) or plain transformers'
(config.json alone). Nothing here loads weights or runs code.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bicross.bundle.heads import Activation, Similarity
from bicross.bundle.layout import safe_path
from bicross.errors import MissingFile, UnsupportedArchitecture
from onnx_export.source.json_shapes import require_shape

CLASSIFIER = "ForSequenceClassification"
POOLING_MODES = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
# The booleans of older folders, in the order in which sentence-transformers concatenates.
OLD_POOLING_KEYS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
ACTIVATIONS: dict[str, Activation] = {"Identity": "identity", "Sigmoid": "sigmoid"}
SIMILARITIES: dict[str, Similarity] = {
    "cosine": "cosine",
    "dot": "dot_product",
    "euclidean": "l2_norm",
}
TRANSFORMER_CONFIGS = (
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_albert_config.json",
    "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json",
)
# As much as the server reads of a tokenizer.json.
MAX_JSON_BYTES = 128 << 20
# Tokenizers without a limit carry 1e30; no model comes near this.
NO_LIMIT = 1_000_000
# Their position 0 belongs to the padding token, so that two fewer tokens fit than positions exist.
OFFSET_POSITIONS = frozenset({"camembert", "longformer", "mpnet", "roberta", "xlm-roberta"})


@dataclass(frozen=True)
class Module:
    """One line of modules.json: `kind` is the last part of its class name."""

    kind: str
    type: str
    path: str

    @property
    def is_foreign(self) -> bool:
        return not self.type.startswith("sentence_transformers.")


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """The JSON object in `name`, empty where the file is absent.

    Raises `UnsupportedArchitecture` where it holds something else, or a key that is read here a
    value of another type.
    """
    file = folder / name
    if not file.is_file():
        return {}
    if file.stat().st_size > MAX_JSON_BYTES:
        raise UnsupportedArchitecture(f"{file} is larger than {MAX_JSON_BYTES} bytes")
    try:
        found = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise UnsupportedArchitecture(f"{file} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise UnsupportedArchitecture(f"{file} is not a JSON object")
    require_shape(file, found)
    return found


def read_config(folder: Path) -> dict[str, Any]:
    """Raises `MissingFile` without a config.json."""
    config = read_json(folder, "config.json")
    if not config:
        raise MissingFile(f"{folder} holds no config.json: not a model of transformers")
    return config


def first_architecture(config: dict[str, Any]) -> str:
    architectures = config.get("architectures") or []
    return str(architectures[0]) if architectures else f"{config.get('model_type')} (no class)"


def read_modules(folder: Path) -> list[Module]:
    """The modules of a sentence-transformers folder; none for a plain transformers folder.

    Raises `UnsafePath` for a module outside the folder.
    """
    file = folder / "modules.json"
    if not file.is_file():
        return []
    try:
        rows = json.loads(file.read_bytes())
        return [
            Module(row["type"].rpartition(".")[2], row["type"], _inside(row["path"]))
            for row in sorted(rows, key=lambda row: int(row["idx"]))
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnsupportedArchitecture(f"{file} is not a list of modules: {error!r}") from None


def _inside(path: str) -> str:
    """A module's folder, without the slash that some end with; empty for the model's own."""
    return "" if path in {"", ".", "./"} else safe_path(path.rstrip("/"))


def module_folder(folder: Path, module: Module) -> Path:
    """Where the files of a module are that a text enters: its own folder, else the model's."""
    own = folder / module.path
    return own if (own / "config.json").is_file() or (own / "tokenizer.json").is_file() else folder


def read_pooling(folder: Path, module: Module) -> tuple[str, bool]:
    """The mode, several joined by `+`, and whether the prompt's tokens are pooled."""
    config = read_json(folder, f"{module.path}/config.json")
    modes = config.get("pooling_mode")
    if modes is None:
        modes = [mode for key, mode in OLD_POOLING_KEYS.items() if config.get(key)] or ["mean"]
    modes = [modes] if isinstance(modes, str) else list(modes)
    if unknown := [mode for mode in modes if mode not in POOLING_MODES]:
        raise UnsupportedArchitecture(
            f"{folder.name}: pooling mode {unknown[0]!r}; known are {', '.join(POOLING_MODES)}"
        )
    return "+".join(modes), bool(config.get("include_prompt", True))


def read_similarity(folder: Path, *, normalize: bool) -> Similarity:
    """The model's own function, else cosine as sentence-transformers has it.

    Vectors of length one are cosine's whatever is written: their products are their cosines.
    """
    name = read_json(folder, "config_sentence_transformers.json").get("similarity_fn_name")
    if normalize and name == "dot":
        return "cosine"
    if name is not None and name not in SIMILARITIES:
        raise UnsupportedArchitecture(
            f"{folder.name}: similarity {name!r}; known are {', '.join(SIMILARITIES)}"
        )
    return SIMILARITIES[name or "cosine"]


def read_max_tokens(folder: Path, config: dict[str, Any]) -> int | None:
    """The longest sequence, special tokens included, as sentence-transformers finds it.

    The transformer module's own limit replaces the tokenizer's; the model's positions cap both.
    None where no file says.
    """
    limits = [positions] if (positions := _positions(config)) else []
    module = next(
        (read_json(folder, name) for name in TRANSFORMER_CONFIGS if (folder / name).is_file()), {}
    )
    kwargs = module.get("processor_kwargs") or module.get("tokenizer_args") or {}
    own = module.get("max_seq_length") or kwargs.get("model_max_length")
    own = own or read_json(folder, "tokenizer_config.json").get("model_max_length")
    if isinstance(own, int | float) and 0 < own < NO_LIMIT:
        limits.append(int(own))
    return min(limits, default=None)


def read_activation(folder: Path, config: dict[str, Any], labels: int) -> Activation:
    """What `CrossEncoder.predict` applies: the config's, else a sigmoid.

    Several labels are always read as probabilities of one another.
    """
    if labels > 1:
        return "softmax"
    named = (
        read_json(folder, "config_sentence_transformers.json").get("activation_fn")
        or (config.get("sentence_transformers") or {}).get("activation_fn")
        or config.get("sbert_ce_default_activation_function")
    )
    if named is None:
        return "sigmoid"
    kind = str(named).rpartition(".")[2]
    if not str(named).startswith("torch.nn.") or kind not in ACTIVATIONS:
        raise UnsupportedArchitecture(
            f"{folder.name}: activation {named!r}; known are torch.nn's {', '.join(ACTIVATIONS)}"
        )
    return ACTIVATIONS[kind]


def read_labels(config: dict[str, Any]) -> list[str]:
    """The names of a classification head's outputs, in order. transformers' default is two."""
    names = config.get("id2label")
    if not names:
        return [f"LABEL_{index}" for index in range(int(config.get("num_labels") or 2))]
    return [str(names[key]) for key in sorted(names, key=int)]


def _positions(config: dict[str, Any]) -> int | None:
    positions = config.get("max_position_embeddings")
    if not isinstance(positions, int) or positions < 1:
        return None
    if config.get("model_type") in OFFSET_POSITIONS:
        return positions - int(config.get("pad_token_id") or 0) - 1
    return positions
