"""The files beside the graph from which other libraries load the same folder."""

import shutil
from pathlib import Path

from bicross.bundle.layout import CONFIG, TOKENIZER
from bicross.errors import UnsupportedArchitecture
from onnx_export.reference import Reference

TOKENIZER_FILES = (TOKENIZER, "tokenizer_config.json", "special_tokens_map.json")
# JSON and text only: never weights, pickles or code.
MODEL_FILES = (
    "README.md",
    "config_sentence_transformers.json",
    "modules.json",
    "sentence_bert_config.json",
    "special_tokens_map.json",
    "vocab.txt",
)
MODULE_CONFIGS = "[0-9]*_*/config.json"


def copy_descriptions(source: Path, target: Path) -> None:
    """The model's own files, as they are; what it lacks is not made up."""
    files = [source / name for name in MODEL_FILES] + sorted(source.glob(MODULE_CONFIGS))
    for file in files:
        if file.is_file():
            copy = target / file.relative_to(source)
            copy.parent.mkdir(exist_ok=True)
            shutil.copyfile(file, copy)


def write_tokenizer_and_config(reference: Reference, target: Path) -> None:
    """The tokenizer and config.json as sentence-transformers has loaded them.

    Raises `UnsupportedArchitecture` for a tokenizer that has no tokenizer.json.
    """
    tokenizer = reference.model.tokenizer
    if not getattr(tokenizer, "is_fast", False):
        raise UnsupportedArchitecture(
            f"{reference.spec.folder.model}: {type(tokenizer).__name__} has no {TOKENIZER}; "
            "only fast tokenizers are exported"
        )
    for written in map(Path, tokenizer.save_pretrained(target)):
        if written.is_file() and written.name not in TOKENIZER_FILES:
            written.unlink()
    (target / CONFIG).write_text(reference.transformer.config.to_json_string())
