"""Pairs of texts put together from the ids of their parts, as the tokenizer itself would."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import tokenizers

Ids = npt.NDArray[np.int32]
TypeIds = npt.NDArray[np.int8]
# Parts of several lengths, none among them: what a form gives for all these it gives for any.
PROBES = (("0", "1 2 3 4"), ("the", "a cat"), ("a b c", "d"), ("0", ""), ("", "1 2"))


@dataclass(frozen=True)
class Stretch:
    """Special tokens that stand together; equally many `ids` and `type_ids`."""

    ids: Ids
    type_ids: TypeIds


@dataclass(frozen=True)
class PairForm:
    """The special tokens before, between and after two texts, and the type id of each text's own.

    A post-processor looks at no id but puts its own round those it is given, so that a form found
    once is its answer for every pair, at a tenth of its time: it copies words and offsets too.
    """

    before: Stretch
    between: Stretch
    after: Stretch
    first_type: int
    second_type: int

    @classmethod
    def probe(cls, pieces: tokenizers.Tokenizer, *, special_tokens: bool) -> Self | None:
        """None where the tokenizer joins pairs in another way, out of order or several times, and
        where the probes are all unknown to it, so that they cannot be told apart.
        """
        probes = [
            _Probe.make(pieces, first, second, special_tokens=special_tokens)
            for first, second in PROBES
        ]
        telling = next((probe for probe in probes if probe.tells), None)
        forms = cls._forms(telling) if telling is not None else iter(())
        return next((form for form in forms if all(map(form.fits, probes))), None)

    @classmethod
    def _forms(cls, probe: "_Probe") -> Iterator[Self]:
        """Every way to read `probe`, whose texts have tokens: they may look like special ones."""
        ids, type_ids = probe.ids, probe.type_ids
        for first in _places(probe.first, ids):
            end = first + len(probe.first)
            for second in _places(probe.second, ids, end):
                last = second + len(probe.second)
                yield cls(
                    Stretch(ids[:first], type_ids[:first]),
                    Stretch(ids[end:second], type_ids[end:second]),
                    Stretch(ids[last:], type_ids[last:]),
                    int(type_ids[first]),
                    int(type_ids[second]),
                )

    def fits(self, probe: "_Probe") -> bool:
        ids, type_ids = self.join(self.head(probe.first), probe.second)
        return np.array_equal(ids, probe.ids) and np.array_equal(type_ids, probe.type_ids)

    def head(self, first: Ids) -> Stretch:
        """All that stands before the second text, the same for each that joins `first`."""
        types = np.full(len(first), self.first_type, np.int8)
        return Stretch(
            np.concatenate((self.before.ids, first, self.between.ids)),
            np.concatenate((self.before.type_ids, types, self.between.type_ids)),
        )

    def join(self, head: Stretch, second: Ids) -> tuple[Ids, TypeIds]:
        """The ids and type ids of one row."""
        types = np.full(len(second), self.second_type, np.int8)
        return (
            np.concatenate((head.ids, second, self.after.ids)),
            np.concatenate((head.type_ids, types, self.after.type_ids)),
        )


@dataclass(frozen=True)
class _Probe:
    """Two texts' ids, and what the tokenizer makes of them together."""

    first: Ids
    second: Ids
    ids: Ids
    type_ids: TypeIds

    @classmethod
    def make(
        cls, pieces: tokenizers.Tokenizer, first: str, second: str, *, special_tokens: bool
    ) -> Self:
        one, two = pieces.encode_batch([first, second], add_special_tokens=False)
        whole = pieces.post_process(one, two, add_special_tokens=special_tokens)
        type_ids = np.array(whole.type_ids, np.int8)
        return cls(as_ids(one), as_ids(two), as_ids(whole), type_ids)

    @property
    def tells(self) -> bool:
        """Whether the two can be told apart."""
        common = set(self.first.tolist()) & set(self.second.tolist())
        return bool(len(self.first) and len(self.second) and not common)


def _places(part: Ids, whole: Ids, start: int = 0) -> list[int]:
    """Where `part` stands in `whole`, from `start` on."""
    last = len(whole) - len(part)
    return [
        place
        for place in range(start, last + 1)
        if np.array_equal(whole[place : place + len(part)], part)
    ]


def as_ids(part: tokenizers.Encoding) -> Ids:
    return np.array(part.ids, np.int32)
