"""Texts to token ids, as the model's own library cuts them.

Truncation and padding in the tokenizer's file are ignored: the manifest says how long a sequence
may be, and a batch is padded to its own longest row.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Self

import numpy as np
import numpy.typing as npt
import tokenizers

from bicross.bundle import Bundle
from bicross.bundle.record import InputType
from bicross.bundle.sequences import Expansion, Sequences
from bicross.errors import InvalidManifest, InvalidRequest, QueryTooLong
from bicross.runtime.beginnings import encode_beginnings, first_reach
from bicross.runtime.pair_assembly import PairForm, Stretch, as_ids
from bicross.runtime.tokenizer_file import read_pad_id, read_pieces
from bicross.runtime.word_bounds import find_bound


@dataclass(frozen=True, slots=True)
class TokenSequence:
    """One row for the model. `ids` and `type_ids` have the same length.

    `full_length` is what the text would have taken untruncated, special tokens included; where
    its end was not read, some number between `length` and that.
    `prompt_tokens` counts the tokens at the start that are not pooled where the model leaves its
    prompt out. The last `expanded` ids were added by query expansion; the other tokens see them
    where `attends_expanded`.
    """

    ids: npt.NDArray[np.int32]
    type_ids: npt.NDArray[np.int8]
    full_length: int
    input_type: InputType = "passage"
    prompt_tokens: int = 0
    expanded: int = 0
    attends_expanded: bool = True

    @property
    def length(self) -> int:
        return len(self.ids)

    @property
    def truncated(self) -> bool:
        return self.full_length > self.length


@dataclass(frozen=True)
class Tokenizer:
    """How texts of one input type become rows. Safe to use from several threads at once."""

    pieces: tokenizers.Tokenizer
    max_tokens: int
    pad_id: int
    input_type: InputType = "passage"
    special_tokens: bool = True
    expansion: Expansion | None = None

    @classmethod
    def load(cls, bundle: Bundle, input_type: InputType = "passage") -> Self:
        """Raises `InvalidManifest` for a file that cannot be read, and for rows too long."""
        manifest = bundle.manifest
        own = (manifest.sequences or {}).get(input_type, Sequences())
        max_tokens = own.max_tokens or manifest.max_tokens
        if own.expansion is not None and own.expansion.length > max_tokens:
            raise InvalidManifest(
                f"bundle {bundle.path.name}: sequences.{input_type}.expansion fills rows to "
                f"{own.expansion.length} tokens, but the model takes {max_tokens}; export again"
            )
        pieces = read_pieces(bundle, manifest.tokenizers[input_type])
        pad_id = read_pad_id(bundle, pieces, own_file=own.tokenizer is not None)
        pieces.no_truncation()
        pieces.no_padding()
        return cls(
            pieces, max_tokens, pad_id, input_type, own.special_tokens is not False, own.expansion
        )

    def encode_texts(
        self,
        texts: Sequence[str],
        prompt: str = "",
        prompt_tokens: int = 0,
        *,
        whole: bool = False,
    ) -> list[TokenSequence]:
        """Each text after `prompt`, cut on the right to `max_tokens`, then expanded.

        `prompt_tokens` is only noted. `whole` reads what is cut off too, so that `full_length` is
        exact. Raises `InvalidRequest` for a lone surrogate, naming its position but no field.
        """
        parts = self.split([prompt + text for text in texts], None if whole else self.max_tokens)
        return [self._expanded(self._finish(part, prompt_tokens)) for part in parts]

    def count_prompt(self, prompt: str) -> int:
        """How many tokens of a row are the prompt's, as sentence-transformers counts them.

        The prompt alone is a row; a special token that ends it belongs to the text to come.
        """
        if not prompt:
            return 0
        row = self._finish(self.split([prompt])[0])
        special = (
            self.pieces.get_added_tokens_decoder().get(int(row.ids[-1])) if row.length else None
        )
        return row.length - (special is not None and special.special)

    def encode_pairs(
        self,
        query: str,
        passages: Sequence[str],
        max_passage_tokens: int | None = None,
        *,
        whole: bool = False,
    ) -> list[TokenSequence]:
        """The query with each passage; a pair too long loses passage tokens, never query tokens.

        A passage keeps at most `max_passage_tokens`, where given; `whole` as in `encode_texts`.

        Raises `QueryTooLong` when the query leaves no room for a passage token, and
        `InvalidRequest` for a lone surrogate.
        """
        query_part = self.split([query])[0]
        special = self.pieces.num_special_tokens_to_add(is_pair=True)
        room = self.max_tokens - special - len(query_part)
        if room < 1:
            raise QueryTooLong(
                f"`query` has {len(query_part)} tokens; the model takes {self.max_tokens}, of "
                f"which {special} are special and one must be a passage's: shorten the query",
                param="query",
            )
        room = min(room, max_passage_tokens or room)
        form, parts = self.pair_form, self.split(passages, None if whole else room)
        if form is None:
            return [self._join(query_part, part, room) for part in parts]
        head = form.head(as_ids(query_part))
        return [self._pair(form, head, part, room) for part in parts]

    @cached_property
    def pair_form(self) -> PairForm | None:
        """How pairs are put together; None where only the tokenizer can."""
        return PairForm.probe(self.pieces, special_tokens=self.special_tokens)

    def _pair(
        self, form: PairForm, head: Stretch, part: tokenizers.Encoding, room: int
    ) -> TokenSequence:
        kept = as_ids(part)[:room]
        ids, type_ids = form.join(head, kept)
        return TokenSequence(ids, type_ids, len(ids) + len(part) - len(kept), self.input_type)

    @cached_property
    def bound(self) -> re.Pattern[str] | None:
        """Before which a text may be parted; see `find_bound`."""
        return find_bound(self.pieces)

    def split(
        self, texts: Sequence[str], tokens: int | None = None, *, offsets: bool = False
    ) -> list[tokenizers.Encoding]:
        """Pieces without special tokens. Long lists run on all cores, without the GIL.

        Where only the first `tokens` pieces matter, a long text may be read no further; where it
        has more than these, so has what is given. With `offsets` pieces know their characters.
        Raises `InvalidRequest` for a lone surrogate.
        """
        encode_batch = self.pieces.encode_batch if offsets else self.pieces.encode_batch_fast
        encode = partial(encode_batch, add_special_tokens=False)
        longest = max(map(len, texts), default=0)
        if tokens is not None and longest > first_reach(tokens) and self.bound is not None:
            require_unicode(texts)
            return encode_beginnings(encode, self.bound, texts, tokens)
        try:
            return encode(list(texts))
        except (TypeError, UnicodeEncodeError):
            require_unicode(texts)
            raise

    def _finish(self, part: tokenizers.Encoding, prompt_tokens: int = 0) -> TokenSequence:
        special = self.pieces.num_special_tokens_to_add(is_pair=False) if self.special_tokens else 0
        return self._join(part, None, self.max_tokens - special, prompt_tokens)

    def _join(
        self,
        first: tokenizers.Encoding,
        second: tokenizers.Encoding | None,
        room: int,
        prompt_tokens: int = 0,
    ) -> TokenSequence:
        """The last of the two cut to `room` tokens, and special tokens round them."""
        last = first if second is None else second
        lost = max(0, len(last) - room)
        if lost:
            last.truncate(room)
        whole = self.pieces.post_process(first, second, add_special_tokens=self.special_tokens)
        return TokenSequence(
            ids=np.array(whole.ids, np.int32),
            type_ids=np.array(whole.type_ids, np.int8),
            full_length=len(whole) + lost,
            input_type=self.input_type,
            prompt_tokens=prompt_tokens,
        )

    def _expanded(self, row: TokenSequence) -> TokenSequence:
        if self.expansion is None or row.length >= self.expansion.length:
            return row
        added = self.expansion.length - row.length
        return replace(
            row,
            ids=np.append(row.ids, np.full(added, self.expansion.token_id, np.int32)),
            type_ids=np.append(row.type_ids, np.zeros(added, np.int8)),
            expanded=added,
            attends_expanded=self.expansion.attended,
        )


def require_unicode(texts: Sequence[str]) -> None:
    """Raises `InvalidRequest` for a text that holds half of a surrogate pair."""
    for index, text in enumerate(texts):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InvalidRequest(
                f"text {index} holds a lone surrogate at character {error.start}; "
                "send whole Unicode characters",
            ) from None
