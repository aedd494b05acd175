"""The files beside the graph from which other libraries load the same folder."""

import shutil
from pathlib import Path

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
