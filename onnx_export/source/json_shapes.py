"""What the values of a model's JSON files may be, so that no reader of them meets another type.

Only keys that are read here are named; all others are let through as they are.
"""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bicross.errors import UnsupportedArchitecture

Count = Annotated[int, Field(ge=0, le=1 << 40)]
Number = int | Annotated[float, Field(allow_inf_nan=False)]
LabelNumber = Annotated[str, Field(pattern=r"^\d{1,9}$")]


class Shape(BaseModel):
    """Strict: true is no number, and 1 no text."""

    model_config = ConfigDict(extra="allow", strict=True)


class TransformerConfig(Shape):
    """transformers' config.json, and in a module's folder sentence-transformers' own."""

    architectures: list[str] | None = None
    auto_map: dict[str, Any] | None = None
    hidden_size: Count | None = None
    id2label: dict[LabelNumber, str] | None = None
    max_position_embeddings: int | None = None
    model_type: str | None = None
    num_labels: Count | None = None
    pad_token_id: int | None = None
    sbert_ce_default_activation_function: str | None = None
    sentence_transformers: dict[str, Any] | None = None
    # Modules.
    activation_function: str | None = None
    include_prompt: bool | None = None
    out_features: Count | None = None
    pooling_mode: str | list[str] | None = None
    use_residual: bool | None = None


class LibraryConfig(Shape):
    """config_sentence_transformers.json."""

    activation_fn: str | None = None
    default_prompt_name: str | None = None
    model_type: str | None = None
    prompts: dict[str, str | None] | None = None
    similarity_fn_name: str | None = None
    truncate_dim: Count | None = None


class LengthConfig(Shape):
    """sentence_bert_config.json and its older names."""

    max_seq_length: Number | None = None
    processor_kwargs: dict[str, Any] | None = None
    tokenizer_args: dict[str, Any] | None = None


class TokenizerConfig(Shape):
    model_max_length: Number | None = None
    padding_side: str | None = None


class Truncation(Shape):
    max_length: Count | None = None


class Padding(Shape):
    pad_token: str | None = None
    pad_id: Count | None = None


class AddedToken(Shape):
    id: Count
    content: str


class TokenizerFile(Shape):
    added_tokens: list[AddedToken] | None = None
    padding: Padding | None = None
    truncation: Truncation | None = None


SHAPES: dict[str, type[Shape]] = {
    "config.json": TransformerConfig,
    "config_sentence_transformers.json": LibraryConfig,
    "tokenizer.json": TokenizerFile,
    "tokenizer_config.json": TokenizerConfig,
}


def require_shape(file: Path, found: dict[str, Any]) -> None:
    """Raises `UnsupportedArchitecture`, naming the file and the key."""
    shape = SHAPES.get(file.name)
    if shape is None and file.name.startswith("sentence_"):
        shape = LengthConfig
    if shape is None:
        return
    try:
        shape.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UnsupportedArchitecture(
            f"{file}, {key}: {first['msg']}; correct the file or save the model anew"
        ) from None
