"""What every original has, whatever it gives."""

from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeVar, cast

import transformers
from sentence_transformers import CrossEncoder, SentenceTransformer

from bicross.bundle.layout import CONFIG, TOKENIZER
from bicross.errors import UnsupportedArchitecture
from onnx_export.source.spec import ModelSpec

TOKENIZER_FILES = (TOKENIZER, "tokenizer_config.json", "special_tokens_map.json")
BATCH_ROWS = 16
Model = TypeVar("Model", bound=SentenceTransformer | CrossEncoder)


@dataclass(frozen=True)
class Original(Generic[Model]):
    """Its numbers are sentence-transformers' own, with its prompts, pooling and truncation."""

    spec: ModelSpec
    model: Model

    @property
    def transformer(self) -> transformers.PreTrainedModel:
        return cast("transformers.PreTrainedModel", self.model[0].model)

    @property
    def padding_side(self) -> Literal["left"] | None:
        """Where the original pads; None for the right."""
        return "left" if self.model.tokenizer.padding_side == "left" else None

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
