"""The original model in torch: what the exported graph must give again."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import transformers
from sentence_transformers import CrossEncoder, SentenceTransformer

from bicross.bundle.layout import CONFIG, TOKENIZER
from bicross.bundle.manifest import InputType, Rerank
from bicross.errors import UnsupportedArchitecture
from bicross.runtime import FloatArray
from onnx_export.source.prompts import PromptChoice
from onnx_export.source.spec import ModelSpec

NOISY_LOGGERS = ("torch.onnx", "transformers", "sentence_transformers")
TOKENIZER_FILES = (TOKENIZER, "tokenizer_config.json", "special_tokens_map.json")
BATCH_ROWS = 16


@dataclass(frozen=True)
class Reference:
    """Its numbers are sentence-transformers' own, with its prompts, pooling and truncation."""

    spec: ModelSpec
    model: SentenceTransformer | CrossEncoder

    @property
    def transformer(self) -> transformers.PreTrainedModel:
        return cast("transformers.PreTrainedModel", self.model[0].model)

    def vectors(self, texts: Sequence[str], input_type: InputType) -> FloatArray:
        """float32 [len(texts), dimensions]."""
        if not isinstance(self.model, SentenceTransformer):
            raise TypeError("a cross-encoder has no vectors")
        found = self.model.encode(
            list(texts),
            batch_size=BATCH_ROWS,
            show_progress_bar=False,
            **_prompt(getattr(self.spec.prompts, input_type)),
        )
        return np.asarray(found, np.float32)

    def logits(self, pairs: Sequence[tuple[str, str]]) -> FloatArray:
        """One logit per pair, float32 [len(pairs)]: `CrossEncoder.predict` without an activation.

        Of several labels, the log-odds of the one that means relevant.
        """
        if not isinstance(self.model, CrossEncoder) or not isinstance(self.spec.head, Rerank):
            raise TypeError("a bi-encoder has no logits")
        found: torch.Tensor = self.model.predict(
            list(pairs),
            batch_size=BATCH_ROWS,
            show_progress_bar=False,
            activation_fn=torch.nn.Identity(),
            convert_to_tensor=True,
        )
        if found.ndim == 2:
            label = self.spec.head.relevance_label
            others = [index for index in range(found.shape[1]) if index != label]
            found = found[:, label] - torch.logsumexp(found[:, others], dim=1)
        return found.float().numpy()

    def write_tokenizer_and_config(self, target: Path) -> None:
        """tokenizer.json and its companions, and config.json, as they were loaded.

        Raises `UnsupportedArchitecture` for a tokenizer that has no tokenizer.json.
        """
        tokenizer = self.model.tokenizer
        if not getattr(tokenizer, "is_fast", False):
            raise UnsupportedArchitecture(
                f"{self.spec.folder.model}: {type(tokenizer).__name__} has no {TOKENIZER}; "
                "only fast tokenizers are exported"
            )
        for written in map(Path, tokenizer.save_pretrained(target)):
            if written.is_file() and written.name not in TOKENIZER_FILES:
                written.unlink()
        (target / CONFIG).write_text(self.transformer.config.to_json_string())


def load_reference(spec: ModelSpec) -> Reference:
    """Eager attention: its graph is made of plain operators, and the numbers are the model's.

    Raises `UnsupportedArchitecture` where the libraries cannot load the folder.
    """
    kind = CrossEncoder if spec.task == "rerank" else SentenceTransformer
    with quiet():
        try:
            model = kind(
                str(spec.folder.path),
                device="cpu",
                local_files_only=True,
                trust_remote_code=spec.trust_remote_code,
                model_kwargs={
                    "attn_implementation": "eager",
                    "dtype": "float32",
                    "use_safetensors": True,
                },
            )
        except Exception as error:
            raise UnsupportedArchitecture(
                f"{spec.folder.model} cannot be loaded by sentence-transformers "
                f"{version('sentence-transformers')}: {type(error).__name__}: {error}"
            ) from error
    if spec.is_cut:
        model.max_seq_length = spec.max_tokens
    if isinstance(model, SentenceTransformer):
        spec = spec.with_dimensions(int(model.get_embedding_dimension() or 0))
    return Reference(spec, model.eval())


@contextmanager
def quiet() -> Iterator[None]:
    """The libraries' bars and notices off: what matters is checked by the gate or raised."""
    loggers = [logging.getLogger(name) for name in NOISY_LOGGERS]
    levels = [logger.level for logger in loggers]
    bars = transformers.utils.logging.is_progress_bar_enabled()
    try:
        transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        if bars:
            transformers.utils.logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _prompt(choice: PromptChoice) -> dict[str, Any]:
    """By its name where the model saved it, so that a wrong reading of the files is found."""
    return {"prompt_name": choice.name} if choice.name else {"prompt": choice.text}
