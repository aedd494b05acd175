"""A SentenceTransformer's vectors."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sentence_transformers import SentenceTransformer

from bicross.bundle.record import InputType
from bicross.runtime import FloatArray
from onnx_export.reference.original import BATCH_ROWS, Original
from onnx_export.source.prompts import PromptChoice


class EmbeddingReference(Original[SentenceTransformer]):
    def vectors(self, texts: Sequence[str], input_type: InputType) -> FloatArray:
        """float32 [len(texts), dimensions]."""
        found = self.model.encode(
            list(texts),
            batch_size=BATCH_ROWS,
            show_progress_bar=False,
            **_prompt(getattr(self.spec.prompts, input_type)),
        )
        return np.asarray(found, np.float32)


def _prompt(choice: PromptChoice) -> dict[str, Any]:
    """By its name where the model saved it, so that a wrong reading of the files is found."""
    return {"prompt_name": choice.name} if choice.name else {"prompt": choice.text}
