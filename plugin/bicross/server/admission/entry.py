"""One request's way in: room for its body first, which is not read yet, then for its tokens."""

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from bicross.server.admission.admission import Admission, Place
from bicross.server.scheduling.lane import Lane

# A body has seldom more tokens: English has one in four bytes, Chinese one in three, and short
# documents share a query that stands in the body once.
BYTES_PER_TOKEN = 2
# Texts are kept until they are answered: however few tokens are left of a long one, it holds as
# much room as a token for so many bytes.
TEXT_BYTES_PER_TOKEN = 32


class Entry:
    """A context manager, at whose end the room is given back. `most` bounds what is asked for;
    the answer is wanted by `deadline`. `body_bytes` are 0 until they are known.
    """

    def __init__(self, admission: Admission, client: str, most: int, deadline: float) -> None:
        self.client = client
        self._deadline = deadline
        self._admission = admission
        self._most = most
        self._held = ExitStack()
        self._place: Place | None = None
        self.body_bytes = 0
        self._whole = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._held.close()

    def expect(self, size: int, lane: Lane | None, *, whole: bool) -> None:
        """The body has `size` bytes. Where the `lane` is known it is admitted there.

        Raises `Overloaded`.
        """
        self.body_bytes = size
        if lane is not None:
            self.admit(lane, self._most, whole=whole)

    def admit(self, lane: Lane, most_tokens: int, *, whole: bool) -> None:
        """Room for what the body may hold, `most_tokens` or less, in `lane` alone; and time for
        half as much, which is seldom too much, where it is known to be of use only `whole`.

        Raises `Overloaded`.
        """
        self._whole = whole
        asked = min(self._most, self.body_bytes // BYTES_PER_TOKEN + 1)
        if self._place is None or self._place.lane is not lane:
            self._held.close()
            room = self._admission.place(lane, asked, self.client, self._deadline)
            self._place = self._held.enter_context(room)
        # Room that was promised is kept until the request's tokens are known.
        if not self._place.told:
            self._resize(self._place, min(asked, most_tokens))
        if whole:
            self._admission.require_time(self._place, self._place.tokens // 2)

    def resize(self, tokens: int) -> None:
        """The request, which was admitted, has `tokens`. Raises `Overloaded`."""
        if self._place is None:
            raise RuntimeError("resized before it was admitted")
        self._resize(self._place, tokens)
        if self._whole:
            self._admission.require_time(self._place, tokens)

    def _resize(self, place: Place, tokens: int) -> None:
        least = min(self._most, self.body_bytes // TEXT_BYTES_PER_TOKEN)
        self._admission.resize(place, max(tokens, least))
