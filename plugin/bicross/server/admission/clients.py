"""Who holds how much of a lane, and what of it goes before a request. Pure."""

from dataclasses import dataclass


@dataclass(slots=True)
class _Held:
    tokens: int = 0
    places: int = 0


class Clients:
    """Of one lane, in which they share the machine equally. Requests of fewer than `least` tokens
    stand as they came.
    """

    def __init__(self, least: int) -> None:
        self._least = least
        self._held: dict[str, _Held] = {}

    def change(self, client: str, tokens: int, places: int) -> None:
        """`client` holds so much more, or less."""
        held = self._held.setdefault(client, _Held())
        held.tokens += tokens
        held.places += places
        if not held.places:
            del self._held[client]

    def ahead(self, client: str, tokens: int, needed: int) -> int:
        """How many tokens of others may be done before `needed` are of a request for `tokens`,
        which is one of those that `client` holds.

        A client's requests end as if they ran side by side: of each, no more is done before this
        one than it has itself. Of another client's no more is done than of its own meanwhile.
        """
        own = self._held[client]
        before = min(own.tokens - tokens, (own.places - 1) * max(self._least, tokens))
        share = before + needed
        others = sum(min(each.tokens, share) for each in self._held.values() if each is not own)
        return before + others
