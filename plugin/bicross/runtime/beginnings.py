"""Long texts read no further than needed: most of a document is cut off anyway."""

import re
from collections.abc import Callable, Sequence

import tokenizers

# Prose has four or five; what is read in vain costs less than to read again.
CHARACTERS_PER_TOKEN = 6
# So that nothing odd in the last word read is used.
SPARE_TOKENS = 16
GROWTH = 4

Encode = Callable[[list[str]], list[tokenizers.Encoding]]


def first_reach(tokens: int) -> int:
    """How many characters are read first where `tokens` tokens are wanted."""
    return CHARACTERS_PER_TOKEN * (tokens + SPARE_TOKENS)


def encode_beginnings(
    encode: Encode, bound: re.Pattern[str], texts: Sequence[str], tokens: int
) -> list[tokenizers.Encoding]:
    """The first `tokens` tokens of each text, and more than that where the text has more.

    A text may be parted before a `bound`. Texts whose beginning had too few tokens are read again
    from the start, together, `GROWTH` times as far.
    """
    found: dict[int, tokenizers.Encoding] = {}
    waiting, reach = list(range(len(texts))), first_reach(tokens)
    while waiting:
        beginnings = [_beginning(texts[index], bound, reach) for index in waiting]
        found |= zip(waiting, encode(beginnings), strict=True)
        waiting = [
            index
            for index, beginning in zip(waiting, beginnings, strict=True)
            if len(found[index]) < tokens + SPARE_TOKENS and len(beginning) < len(texts[index])
        ]
        reach *= GROWTH
    return [found[index] for index in range(len(texts))]


def _beginning(text: str, bound: re.Pattern[str], reach: int) -> str:
    """At least `reach` characters of the text."""
    found = bound.search(text, reach) if len(text) > reach else None
    return text[: found.start()] if found else text
