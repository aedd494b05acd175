"""Texts to token ids, as the model's own library cuts them.

Only `tokenizer.json` is read. Truncation and padding in that file are ignored: the manifest says
how long a sequence may be, and a batch is padded to its own longest row.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import tokenizers

from bicross.bundle import Bundle
from bicross.bundle.layout import CONFIG, TOKENIZER
from bicross.errors import InvalidManifest, InvalidRequest, QueryTooLong

# The largest vocabularies in use (256,000 pieces) take some 35 MB.
MAX_TOKENIZER_BYTES = 128 << 20


@dataclass(frozen=True, slots=True)
class TokenSequence:
    """One row for the model. `ids` and `type_ids` have the same length.

    `full_length` is what the text would have taken untruncated, special tokens included.
    """

    ids: npt.NDArray[np.int32]
    type_ids: npt.NDArray[np.int8]
    full_length: int

    @property
    def length(self) -> int:
        return len(self.ids)

    @property
    def truncated(self) -> bool:
        return self.full_length > self.length


@dataclass(frozen=True)
class Tokenizer:
    """Safe to use from several threads at once."""

    pieces: tokenizers.Tokenizer
    max_tokens: int
    pad_id: int

    @classmethod
    def load(cls, bundle: Bundle) -> Self:
        file = bundle.file(TOKENIZER)
        size = file.stat().st_size
        if size > MAX_TOKENIZER_BYTES:
            raise InvalidManifest(
                f"bundle {bundle.path.name}: {TOKENIZER} has {size} bytes; "
                f"at most {MAX_TOKENIZER_BYTES} are read"
            )
        try:
            pieces = tokenizers.Tokenizer.from_file(str(file))
        except Exception as error:  # noqa: BLE001  the library raises bare Exception
            raise InvalidManifest(
                f"bundle {bundle.path.name}: {TOKENIZER} cannot be read: {error}"
            ) from None
        pad_id = _pad_id(bundle.file(CONFIG), pieces)
        pieces.no_truncation()
        pieces.no_padding()
        return cls(pieces, bundle.manifest.max_tokens, pad_id)

    def encode_texts(self, texts: Sequence[str], prompt: str = "") -> list[TokenSequence]:
        """Each text after `prompt`, cut on the right to `max_tokens`.

        Raises `InvalidRequest` for a lone surrogate, naming its position but no field.
        """
        room = self.max_tokens - self.pieces.num_special_tokens_to_add(is_pair=False)
        return [
            self._finish(part, None, room) for part in self._cut([prompt + text for text in texts])
        ]

    def encode_pairs(
        self, query: str, passages: Sequence[str], max_passage_tokens: int | None = None
    ) -> list[TokenSequence]:
        """The query with each passage; a pair too long loses passage tokens, never query tokens.

        A passage keeps at most `max_passage_tokens`, where given.

        Raises `QueryTooLong` when the query leaves no room for a passage token, and
        `InvalidRequest` for a lone surrogate.
        """
        query_part = self._cut([query])[0]
        special = self.pieces.num_special_tokens_to_add(is_pair=True)
        room = self.max_tokens - special - len(query_part)
        if room < 1:
            raise QueryTooLong(
                f"`query` has {len(query_part)} tokens; the model takes {self.max_tokens}, of "
                f"which {special} are special and one must be a passage's: shorten the query",
                param="query",
            )
        room = min(room, max_passage_tokens or room)
        return [self._finish(query_part, part, room) for part in self._cut(passages)]

    def _cut(self, texts: Sequence[str]) -> list[tokenizers.Encoding]:
        """Pieces without special tokens. Long lists run on all cores, without the GIL."""
        try:
            return self.pieces.encode_batch_fast(list(texts), add_special_tokens=False)
        except (TypeError, UnicodeEncodeError):
            require_unicode(texts)
            raise

    def _finish(
        self, first: tokenizers.Encoding, second: tokenizers.Encoding | None, room: int
    ) -> TokenSequence:
        last = first if second is None else second
        lost = max(0, len(last) - room)
        if lost:
            last.truncate(room)
        whole = self.pieces.post_process(first, second, add_special_tokens=True)
        return TokenSequence(
            ids=np.array(whole.ids, np.int32),
            type_ids=np.array(whole.type_ids, np.int8),
            full_length=len(whole) + lost,
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


def _pad_id(config: Path, pieces: tokenizers.Tokenizer) -> int:
    """The model's own padding token: some graphs count positions by it, so that 0 is not enough."""
    if config.is_file():
        found = json.loads(config.read_bytes()).get("pad_token_id")
        if isinstance(found, int):
            return found
    return int(pieces.padding["pad_id"]) if pieces.padding else 0
