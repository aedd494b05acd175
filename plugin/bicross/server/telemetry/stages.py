"""Where one request's time went. Names, numbers and instants: never a text."""

import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, Self

Name = Literal["tokenize", "queue", "infer", "serialize"]

KEY = "bicross.stages"


@dataclass(frozen=True, slots=True)
class Stage:
    """Between two instants of the monotonic clock, in seconds."""

    name: Name
    began: float
    ended: float


@dataclass(eq=False)
class Stages:
    """Of one request, by name in the order in which they began; times are of `clock`.

    `queue` ends with the first run that holds one of its texts and `infer`, which begins there,
    with the last. A request that never ran has no `infer`, one refused early none at all. `model`
    is name@digest, `tokens` those of all its texts. `code` is that of the error, if it had one.
    """

    began: float
    clock: Callable[[], float] = time.monotonic
    model: str = ""
    lane: str = ""
    texts: int = 0
    tokens: int = 0
    code: str = ""
    ended: float = 0.0
    computed_at: float | None = None
    passed: list[Stage] = field(default_factory=list)

    @classmethod
    def of(cls, scope: MutableMapping[str, Any]) -> Self:
        """Those of the request that `scope` belongs to, which the door put there."""
        found = scope.get(KEY)
        if not isinstance(found, cls):
            found = scope[KEY] = cls(time.monotonic())
        return found

    def add(self, name: Name, began: float, ended: float) -> None:
        self.passed.append(Stage(name, began, ended))

    @contextmanager
    def timed(self, name: Name) -> Iterator[None]:
        began = self.clock()
        try:
            yield
        finally:
            self.add(name, began, self.clock())

    def seconds(self, name: Name) -> float | None:
        """None where the request did not come so far."""
        return next(
            (stage.ended - stage.began for stage in self.passed if stage.name == name), None
        )


@dataclass(frozen=True)
class Answered:
    """A request that has been answered, or left by its client. `route` is one of ours."""

    method: str
    route: str
    status: int
    stages: Stages
