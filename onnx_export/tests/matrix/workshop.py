"""Where the matrix's models are built: folders, shared vocabularies, seeded wide weights."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import sentence_transformers
import torch
import transformers
from sentence_transformers.sentence_transformer.modules import Transformer

from onnx_export.tests.matrix.vocabularies import Vocabularies

SPREAD = 0.3
MAX_TOKENS = 64
Module = TypeVar("Module", bound=torch.nn.Module)


@dataclass(frozen=True)
class Workshop:
    """Each folder is written once below `root`; nothing is downloaded."""

    root: Path

    @cached_property
    def vocabularies(self) -> Vocabularies:
        return Vocabularies()

    def folder(self, name: str, write: Callable[[Path], None]) -> Path:
        folder = self.root / name
        if not folder.exists():
            write(folder)
        return folder

    def plain(
        self,
        name: str,
        model: Callable[[], transformers.PreTrainedModel],
        tokenizer: transformers.PreTrainedTokenizerBase,
        spread: float = SPREAD,
    ) -> Path:
        """A transformers folder: `model` with its weights drawn anew, and `tokenizer`."""

        def write(folder: Path) -> None:
            draw(model(), spread).save_pretrained(folder)
            tokenizer.save_pretrained(folder)

        return self.folder(name, write)

    def sentence_transformer(
        self,
        name: str,
        base: Path,
        head: Callable[[Transformer], Sequence[torch.nn.Module]],
        prompts: dict[str, str] | None = None,
    ) -> Path:
        """A sentence-transformers folder: the transformer at `base`, followed by `head`."""

        def write(folder: Path) -> None:
            transformer = Transformer(str(base), max_seq_length=MAX_TOKENS)
            modules: list[torch.nn.Module] = [transformer, *head(transformer)]
            for module in modules[1:]:
                draw(module, SPREAD)
            model = sentence_transformers.SentenceTransformer(
                modules=modules, prompts=prompts, device="cpu"
            )
            model.save(str(folder), create_model_card=False)

        return self.folder(name, write)


def draw(model: Module, spread: float, seed: int = 7) -> Module:
    """Every weight anew, biases too: equal ones would be merged into one by the exporter.

    Wide, so that scores spread and no part of the model is too small to be missed.
    """
    source = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            noise = spread * torch.randn(weights.shape, generator=source)
            scales = weights.ndim == 1 and "norm" in name.lower() and name.endswith("weight")
            weights.copy_(1 + noise if scales else noise)
        for part in model.modules():
            # Padding has no meaning of its own, as the libraries' own initialisation has it.
            if isinstance(part, torch.nn.Embedding) and part.padding_idx is not None:
                part.weight[part.padding_idx] = 0
    return model
