"""Where a text may be parted so that no token before that place depends on what follows it.

Then the tokens of a text's beginning are the beginning of its tokens. What a tokenizer does is read
from its own parts; one with a part that is not known here is taken to look ahead.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import tokenizers
from tokenizers import models

Part = dict[str, Any]

# Letters and digits that no normaliser drops, spaces out or joins to a space beside them. Not among
# them: Greek's lone iota, Malayalam's dot reph, Thai's and Lao's am, Hangul's fillers, Vedic signs,
# and presentation forms with all that has higher numbers.
_OTHERS = "\u037a\u0d4e\u0e33\u0eb3\u115f\u1160\u1cf2\u1cf3\u3164\ufb00-\U0010ffff"
_LETTER = f"[^\\W_{_OTHERS}]"
# A single space: runs of white space may be one token.
WORD_BOUND = re.compile(f"(?<={_LETTER}) (?={_LETTER})")
# Where no white space is in a token; Chinese and Japanese have no other.
LINE_BOUND = re.compile(rf"{WORD_BOUND.pattern}|(?<=\S)\n(?=\S)")

SPACE, BLOCK, BYTE_OF_SPACE = " ", "▁", "Ġ"
PLAIN_NORMALIZERS = frozenset(
    {"BertNormalizer", "NFC", "NFD", "NFKC", "NFKD", "Nmt", "Lowercase", "StripAccents", "Strip"}
    | {"Precompiled", "Prepend"}
)
# Patterns and what they become; none changes a letter or a lone space.
PLAIN_REPLACEMENTS = (
    ({"String": "``"}, '"'),
    ({"String": "''"}, '"'),
    ({"Regex": " {2,}"}, SPACE),
    ({"Regex": " {2,}"}, BLOCK),
    ({"Regex": r"\s{2,}|[\n\r\t]"}, SPACE),
    ({"Regex": r"\s+"}, SPACE),
)
SPLIT_AT_SPACES = frozenset({"BertPreTokenizer", "Whitespace", "WhitespaceSplit"})
GPT_2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
CLIP = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
LLAMA_3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN = LLAMA_3.replace("{1,3}", "")
QWEN_3_5 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}"
    r"| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
GPT_4O = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# None goes on from a letter or a digit to a space.
WORD_PATTERNS = frozenset({GPT_2, CLIP, LLAMA_3, QWEN, QWEN_3_5, GPT_4O})


def find_bound(pieces: tokenizers.Tokenizer) -> re.Pattern[str] | None:
    """What a text may be parted before; None where it must be read whole.

    Follows what becomes of the space between two words, until they are split there.
    """
    if any(_spans_words(pieces, token) for token in pieces.get_added_tokens_decoder().values()):
        return None
    space: str | None = SPACE
    blocks = False
    for part in _parts(pieces.normalizer):
        space = _normalized(part, space)
        blocks = blocks or part.get("content") == BLOCK
    for part in _parts(pieces.pre_tokenizer):
        if _splits(part, space):
            lines = part["type"] in SPLIT_AT_SPACES and not blocks
            return LINE_BOUND if lines else WORD_BOUND
        space = _carried(part, space)
    return WORD_BOUND if space is not None and _never_merges(pieces, space) else None


def _parts(component: Any) -> Iterator[Part]:  # noqa: ANN401  a normalizer or a pre-tokenizer
    """Its steps, as tokenizer.json has them."""
    if component is not None:
        yield from _flat(json.loads(component.__getstate__()))


def _flat(part: Part) -> Iterator[Part]:
    if part["type"] != "Sequence":
        yield part
    else:
        for inner in part.get("normalizers") or part.get("pretokenizers") or ():
            yield from _flat(inner)


def _spans_words(pieces: tokenizers.Tokenizer, token: tokenizers.AddedToken) -> bool:
    """Tokens that are nothing but spaces do not: they begin no earlier than a bound."""
    content = token.content
    if token.normalized and pieces.normalizer is not None:
        content = pieces.normalizer.normalize_str(content)
    words = re.split(rf"[\s{BLOCK}]", content)
    return len(words) > 1 and any(words)


def _normalized(part: Part, space: str | None) -> str | None:
    """What a lone `space` becomes; None where nobody knows."""
    if part["type"] in PLAIN_NORMALIZERS:
        return space
    if part["type"] != "Replace":
        return None
    change = (part["pattern"], part["content"])
    if change == ({"String": SPACE}, BLOCK):
        return BLOCK
    return space if change in PLAIN_REPLACEMENTS else None


def _splits(part: Part, space: str | None) -> bool:
    match part:
        case {"type": "Metaspace", "split": True, "replacement": str(replacement)}:
            return space in {SPACE, replacement}
        case {"type": "ByteLevel", "use_regex": True}:
            return space == SPACE
        case {"type": "Split", "pattern": {"Regex": pattern}, "behavior": behavior}:
            by_words = pattern in WORD_PATTERNS and behavior in {"Isolated", "Removed"}
            return space == SPACE and by_words
    return space == SPACE and part["type"] in SPLIT_AT_SPACES


def _carried(part: Part, space: str | None) -> str | None:
    """As `_normalized`, of a step that leaves words together."""
    match part:
        case {"type": "Digits"} | {"type": "Punctuation", "behavior": "Isolated"}:
            return space
        case {"type": "Metaspace", "replacement": str(replacement)}:
            return replacement if space in {SPACE, replacement} else None
        case {"type": "ByteLevel"}:
            return BYTE_OF_SPACE if space == SPACE else None
        case {"type": "Split", "pattern": {"String": " "}}:
            return space if space != SPACE else None
    return None


def _never_merges(pieces: tokenizers.Tokenizer, space: str) -> bool:
    """Byte pairs of a whole text, none of which joins a `space` to what stands before it."""
    model = pieces.model
    if not isinstance(model, models.BPE) or model.ignore_merges:
        return False
    if model.continuing_subword_prefix or model.end_of_word_suffix:
        return False
    known = pieces.get_vocab(with_added_tokens=False)
    joined = re.compile(f"[^{space}]{space}", re.DOTALL)
    return space in known and not any(map(joined.search, known))
