"""What each dimension of a sparse vector is called where features have names."""

from collections.abc import Iterable
from itertools import islice

import tokenizers

# Versions of Elasticsearch before those supported refuse a feature's name with a dot in it, and an
# ingest pipeline reads one as a path. Its own sparse model writes a dot so.
DOT = "."
INSTEAD_OF_DOT = "__"


def token_names(pieces: tokenizers.Tokenizer, dimensions: int) -> tuple[str, ...]:
    """One for each index below `dimensions`, no two alike, none blank and none with a dot.

    An index without a token (vocabularies are padded for speed), a blank token and one that is
    called like an earlier one have `#index` at the end.
    """
    return unique_names(map(pieces.id_to_token, range(dimensions)), dimensions)


def unique_names(tokens: Iterable[str | None], count: int) -> tuple[str, ...]:
    plain = [(token or "").replace(DOT, INSTEAD_OF_DOT) for token in islice(tokens, count)]
    taken = set(plain)
    seen: set[str] = set()
    names = []
    for index, name in enumerate(plain):
        if name in seen or not name.strip():
            name = _free(f"{name}#{index}", taken)  # noqa: PLW2901  the same name, made unique
        seen.add(name)
        names.append(name)
    return tuple(names)


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "#"
    taken.add(name)
    return name
