"""How texts become rows of token ids, where that is not BERT's way."""

from typing import Annotated, Literal

from pydantic import Field

from bicross.bundle.record import BundlePath, Record, TokenId


class Expansion(Record):
    """ColBERT's query augmentation: rows shorter than `length` are filled up with `token_id`.

    The added tokens have vectors of their own; `attended` says whether the others see them.
    """

    length: Annotated[int, Field(ge=2)]
    token_id: TokenId
    attended: bool


class Sequences(Record):
    """What one input type's rows have of their own; None where the manifest's common way holds.

    `tokenizer` is another file than tokenizer.json. With `special_tokens` false none are added.
    """

    tokenizer: BundlePath | None = None
    max_tokens: Annotated[int, Field(ge=1, le=1_048_576)] | None = None
    special_tokens: Literal[False] | None = None
    expansion: Expansion | None = None
