"""Texts of exactly so many tokens."""

import itertools
from collections.abc import Sequence

import tokenizers


def cut_texts(
    texts: Sequence[str], tokenizer: tokenizers.Tokenizer, length: int, count: int
) -> list[str]:
    """`count` texts of exactly `length` tokens, made of `texts` one after another.

    Each further round through `texts` puts its number before them, so that no text comes twice.
    A text is cut behind a token: a wordpiece tokenizer takes the longest piece that fits, so that
    what stands before the cut keeps its pieces.
    """
    tokenizer.no_truncation()
    tokenizer.no_padding()
    made: list[str] = []
    rounds = itertools.count()
    source = (f"{turn} {text}" if turn else text for turn in rounds for text in texts)
    while len(made) < count:
        text = next(source)
        while len(encoded := tokenizer.encode(text, add_special_tokens=False)) < length:
            text = f"{text} {next(source)}"
        made.append(text[: encoded.offsets[length - 1][1]])
    return made
