"""A query with a passage as one text, for models that read a pair in a template of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import tokenizers

from bicross.bundle.heads import Template
from bicross.errors import QueryTooLong
from bicross.runtime.tokenization import Tokenizer, TokenSequence

# Texts that begin and end with other tokens: what their rows share at the end is the template's.
FILLERS = ("0", "1 2 3 4")


@dataclass(frozen=True)
class PairTemplate:
    """`suffix` are the ids that end every row, whatever the passage.

    Rows have the ids of sentence-transformers, which cuts a text that is too long on its right and
    then writes the suffix over its end.
    """

    tokenizer: Tokenizer
    template: Template
    suffix: tuple[int, ...]

    @classmethod
    def load(cls, tokenizer: Tokenizer, template: Template) -> Self:
        bare = cls(tokenizer, template, ())
        first, second = (
            part.ids for part in tokenizer.split([bare._text(filler, filler) for filler in FILLERS])
        )
        return cls(tokenizer, template, tuple(_common_end(first, second)))

    def encode_pairs(
        self,
        query: str,
        passages: Sequence[str],
        max_passage_tokens: int | None = None,
        *,
        whole: bool = False,
    ) -> list[TokenSequence]:
        """A pair too long loses passage tokens, never the query's nor the template's.

        A passage keeps at most `max_passage_tokens`, where given; `whole` as in
        `Tokenizer.encode_texts`.

        Raises `QueryTooLong` when the query leaves no room for a passage token, and
        `InvalidRequest` for a lone surrogate.
        """
        self._require_room(query)
        start = len(self._before(query))
        texts = [self._text(query, passage) for passage in passages]
        needed = None if whole else self.tokenizer.max_tokens
        rows = []
        for passage, part in zip(
            passages, self.tokenizer.split(texts, needed, offsets=True), strict=True
        ):
            end = start + len(self._content(passage))
            rows.append(self._row(part, (start, end), max_passage_tokens))
        return rows

    def _row(
        self, part: tokenizers.Encoding, passage: tuple[int, int], limit: int | None
    ) -> TokenSequence:
        """`passage` says which characters of the text are the passage's."""
        ids = part.ids
        if limit is not None:
            first, last = _tokens_of(part, passage)
            if last - first > limit:
                ids = [*ids[: first + limit], *self.suffix]
        if len(ids) >= self.tokenizer.max_tokens:
            ids = [*ids[: self.tokenizer.max_tokens - len(self.suffix)], *self.suffix]
        return TokenSequence(
            ids=np.array(ids, np.int32),
            type_ids=np.zeros(len(ids), np.int8),
            full_length=max(len(part.ids), len(ids)),
        )

    def _require_room(self, query: str) -> None:
        around, own = (len(part) for part in self.tokenizer.split([self._text(query, ""), query]))
        if around >= self.tokenizer.max_tokens:
            raise QueryTooLong(
                f"`query` has {own} tokens; the model takes {self.tokenizer.max_tokens}, of which "
                f"{max(0, around - own)} are its template's and one must be a passage's: shorten "
                "the query",
                param="query",
            )

    def _text(self, query: str, passage: str) -> str:
        return self._before(query) + self._content(passage) + self.template.suffix

    def _before(self, query: str) -> str:
        return self.template.prefix + self._content(query) + self.template.between

    def _content(self, text: str) -> str:
        return text.strip() if self.template.strip else text


def _tokens_of(part: tokenizers.Encoding, span: tuple[int, int]) -> tuple[int, int]:
    """The first token that reaches into the characters of `span`, and the one after its last."""
    start, end = span
    within = [
        index
        for index, (token_start, token_end) in enumerate(part.offsets)
        if token_end > start and token_start < end
    ]
    return (within[0], within[-1] + 1) if within else (0, 0)


def _common_end(first: Sequence[int], second: Sequence[int]) -> list[int]:
    """Empty where one row is no more than the end of the other: then nothing sets them apart."""
    count = 0
    for left, right in zip(reversed(first), reversed(second), strict=False):
        if left != right:
            break
        count += 1
    return list(first[len(first) - count :]) if count < min(len(first), len(second)) else []
