"""A shallower model out of a deep one: its first layers under its own head."""

import shutil
from pathlib import Path

from torch import nn
from transformers import AutoModelForSequenceClassification

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
)


def keep_layers(folder: Path, target: Path, layers: int) -> None:
    """Writes a BERT cross-encoder of `layers` layers to `target`, its tokenizer with it."""
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    encoder = model.base_model.encoder
    encoder.layer = nn.ModuleList(encoder.layer[:layers])
    model.config.num_hidden_layers = layers
    model.save_pretrained(target)
    for name in TOKENIZER_FILES:
        if (folder / name).exists():
            shutil.copy(folder / name, target / name)
