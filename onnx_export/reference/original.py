"""What every original has, whatever it gives."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, cast

import transformers
from sentence_transformers import (
    CrossEncoder,
    MultiVectorEncoder,
    SentenceTransformer,
    SparseEncoder,
)

from bicross.bundle.layout import CONFIG, TOKENIZER
from bicross.bundle.record import InputType
from bicross.bundle.sequences import Sequences
from bicross.errors import UnsupportedArchitecture
from onnx_export.reference.layers import LayerCut
from onnx_export.source.prompts import PromptChoice
from onnx_export.source.spec import ModelSpec

TOKENIZER_FILES = (TOKENIZER, "tokenizer_config.json", "special_tokens_map.json")
BATCH_ROWS = 16
Model = TypeVar(
    "Model", bound=SentenceTransformer | SparseEncoder | MultiVectorEncoder | CrossEncoder
)


@dataclass(frozen=True)
class Original(Generic[Model]):
    """Its numbers are sentence-transformers' own, with its prompts, pooling and truncation."""

    spec: ModelSpec
    model: Model
    layer_cut: LayerCut | None = field(default=None, kw_only=True)

    @property
    def transformer(self) -> transformers.PreTrainedModel:
        return cast("transformers.PreTrainedModel", self.model[0].model)

    @property
    def padding_side(self) -> Literal["left"] | None:
        """Where the original pads; None for the right."""
        return "left" if self.model.tokenizer.padding_side == "left" else None

    @property
    def sequences(self) -> dict[InputType, Sequences] | None:
        """What one input type's rows have of their own; None where both go the common way."""
        return None

    def count_tokens(self, text: str) -> int:
        """Without special tokens."""
        return len(self.model.tokenizer.tokenize(text))

    def cut_sequences(self) -> None:
        """The original cut where the bundle will be, where its own limit is another."""
        if self.spec.is_cut:
            self.model.max_seq_length = self.spec.max_tokens

    def write_tokenizer_and_config(self, target: Path) -> None:
        """tokenizer.json and its companions, and config.json, as they were loaded.

        Raises `UnsupportedArchitecture` for a tokenizer that has no tokenizer.json.
        """
        self.write_transformer_files(target, self.model.tokenizer, self.transformer.config)

    def write_transformer_files(
        self,
        target: Path,
        tokenizer: transformers.PreTrainedTokenizerBase,
        config: transformers.PretrainedConfig,
    ) -> None:
        if not getattr(tokenizer, "is_fast", False):
            raise UnsupportedArchitecture(
                f"{self.spec.folder.model}: {type(tokenizer).__name__} has no {TOKENIZER}; "
                "only fast tokenizers are exported"
            )
        for written in map(Path, tokenizer.save_pretrained(target)):
            if written.is_file() and written.name not in TOKENIZER_FILES:
                written.unlink()
        (target / CONFIG).write_text(config.to_json_string())


def prompt_arguments(choice: PromptChoice) -> dict[str, Any]:
    """By its name where the model saved it, so that a wrong reading of the files is found."""
    return {"prompt_name": choice.name} if choice.name else {"prompt": choice.text}
