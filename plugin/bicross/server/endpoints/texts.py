"""The texts of a request: strings, not blank, not too many and not too large."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bicross.errors import InvalidRequest, TextTooLarge, TooManyInputs

# bool stands before int, which it is one of.
JSON_TYPES = (
    (type(None), "null"),
    (bool, "a boolean"),
    (int | float, "a number"),
    (str, "a string"),
    (list, "an array"),
    (dict, "an object"),
)
REMEDIES = {
    "a number": "token ids are not accepted: send texts",
    "an array": "token ids and nested arrays are not accepted: send texts",
}


@dataclass(frozen=True)
class TextLimits:
    """`setting` is what an operator would raise to allow more texts."""

    max_count: int
    max_bytes: int
    setting: str


def read_inputs(value: object, limits: TextLimits) -> list[str]:
    """`input` of an embeddings request: a string or a list of strings.

    Raises `InvalidRequest`, `TooManyInputs` or `TextTooLarge`, naming `input` or `input[i]`.
    """
    if isinstance(value, str):
        return [read_text(value, "input", limits.max_bytes)]
    return _read_list(value, "input", limits)


def read_documents(value: object, limits: TextLimits) -> list[str]:
    """`documents` of a rerank request: strings, or objects with `text` and nothing else."""
    if not isinstance(value, list):
        return _read_list(value, "documents", limits)
    texts = [_text_of(document, f"documents[{index}]") for index, document in enumerate(value)]
    return _read_list(texts, "documents", limits)


def read_text(value: object, name: str, max_bytes: int) -> str:
    if not isinstance(value, str):
        found = json_type(value)
        remedy = REMEDIES.get(found, "send a string")
        raise InvalidRequest(f"`{name}` is {found}; {remedy}", param=name)
    size = size_bytes(value, name)
    if size > max_bytes:
        raise TextTooLarge(
            f"`{name}` has {size} bytes; the limit max_text_bytes is {max_bytes}", param=name
        )
    if not value.strip():
        raise InvalidRequest(
            f"`{name}` is empty; send a text with at least one character that is not white space",
            param=name,
        )
    return value


def size_bytes(text: str, name: str) -> int:
    """Length in UTF-8. Raises `InvalidRequest` for half of a surrogate pair."""
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError as error:
        raise InvalidRequest(
            f"`{name}` holds a lone surrogate at character {error.start}; "
            "send whole Unicode characters",
            param=name,
        ) from None


def most_tokens(texts: Sequence[str], besides: int, max_tokens: int) -> int:
    """What `texts` may cost at most: a token is a byte or more, and a sequence is cut.

    `besides` counts what joins each text: prompt, query, special tokens.
    """
    return sum(min(max_tokens, besides + size_bytes(text, "")) for text in texts)


def json_type(value: object) -> str:
    return next(name for kind, name in JSON_TYPES if isinstance(value, kind))


def _text_of(document: Any, name: str) -> object:  # noqa: ANN401  any JSON
    if not isinstance(document, dict):
        return document
    if set(document) != {"text"}:
        raise InvalidRequest(
            f"`{name}` is an object; it must have the field `text` and no other", param=name
        )
    return document["text"]


def _read_list(value: object, name: str, limits: TextLimits) -> list[str]:
    if not isinstance(value, list):
        raise InvalidRequest(f"`{name}` is {json_type(value)}; send texts", param=name)
    if not value:
        raise InvalidRequest(f"`{name}` holds no text; send at least one", param=name)
    if len(value) > limits.max_count:
        raise TooManyInputs(
            f"`{name}` holds {len(value)} texts; the limit {limits.setting} is "
            f"{limits.max_count}: split the request",
            param=name,
        )
    return [
        read_text(text, f"{name}[{index}]", limits.max_bytes) for index, text in enumerate(value)
    ]
