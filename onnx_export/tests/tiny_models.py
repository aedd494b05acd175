"""Two-layer BERTs with random weights and a WordPiece vocabulary counted in the sample.

Weights are drawn wide, so that scores spread and no part of the model is too small to be missed.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import sentence_transformers
import torch
import transformers
from sentence_transformers.sentence_transformer.modules import (
    Dense,
    Normalize,
    Pooling,
    Transformer,
)

from onnx_export.tests.counted_pieces import word_pieces

HIDDEN = 32
MAX_TOKENS = 64
VOCABULARY = 800
SPREAD = 0.3
SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PROMPTS = {"query": "query: ", "document": "passage: "}


@dataclass(frozen=True)
class TinyModels:
    root: Path

    @cached_property
    def tokenizer(self) -> transformers.PreTrainedTokenizerBase:
        return transformers.BertTokenizer(
            vocab=word_pieces(SPECIALS, VOCABULARY), model_max_length=MAX_TOKENS
        )

    def embedding(
        self, pooling: str = "mean", *, dense: bool = False, normalize: bool = True
    ) -> Path:
        """A sentence-transformers folder, with prompts for both input types."""
        folder = self.root / f"bi-{pooling}{'-dense' * dense}{'-normalize' * normalize}"
        if folder.exists():
            return folder
        transformer = Transformer(str(self._base()), max_seq_length=MAX_TOKENS)
        modules: list[torch.nn.Module] = [transformer, Pooling(HIDDEN, pooling_mode=pooling)]
        if dense:
            modules.append(Dense(HIDDEN, 24, activation_function=torch.nn.Tanh()))
        if normalize:
            modules.append(Normalize())
        model = sentence_transformers.SentenceTransformer(
            modules=modules, prompts=PROMPTS, device="cpu"
        )
        model.save(str(folder), create_model_card=False)
        return folder

    def cross(self, labels: int = 1, *, activation: str | None = None) -> Path:
        """A plain transformers folder with a classification head."""
        folder = self.root / f"cross-{labels}{'-' + activation if activation else ''}"
        if folder.exists():
            return folder
        config = self._config(labels)
        if activation is not None:
            config.sentence_transformers = {"activation_fn": f"torch.nn.modules.{activation}"}
        model = transformers.BertForSequenceClassification(config)
        _draw(model, seed=labels).save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        return folder

    def saved_cross_encoder(self) -> Path:
        """One label, in the layout that sentence-transformers' own CrossEncoder saves."""
        folder = self.root / "cross-saved"
        if not folder.exists():
            model = sentence_transformers.CrossEncoder(str(self.cross()), device="cpu")
            model.save_pretrained(str(folder))
        return folder

    def _base(self) -> Path:
        folder = self.root / "base"
        if not folder.exists():
            model = transformers.BertModel(self._config(), add_pooling_layer=False)
            _draw(model, seed=7).save_pretrained(folder)
            self.tokenizer.save_pretrained(folder)
        return folder

    def _config(self, labels: int = 2) -> transformers.BertConfig:
        config = transformers.BertConfig(
            vocab_size=len(self.tokenizer),
            hidden_size=HIDDEN,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=64,
            max_position_embeddings=MAX_TOKENS,
        )
        config.num_labels = labels
        return config


def _draw(model: transformers.PreTrainedModel, seed: int) -> transformers.PreTrainedModel:
    """Every weight anew, biases too: equal ones would be merged into one by the exporter."""
    source = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            noise = SPREAD * torch.randn(weights.shape, generator=source)
            weights.copy_(1 + noise if name.endswith("LayerNorm.weight") else noise)
    return model
