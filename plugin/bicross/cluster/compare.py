"""Desired against actual: which part of what the cluster returned is ours, and what differs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

NOTHING: dict[str, Any] = {}


def managed_part(actual: dict[str, Any], desired: dict[str, Any]) -> dict[str, Any]:
    """`actual` cut down to the keys of `desired`: what Elasticsearch fills in is no change."""
    return {key: _managed(actual[key], value) for key, value in desired.items() if key in actual}


def _managed(actual: object, desired: object) -> object:
    if isinstance(actual, dict) and isinstance(desired, dict):
        return managed_part(actual, desired)
    return actual


@dataclass(frozen=True)
class Difference:
    """One leaf: `path` is dotted, `actual` and `desired` are the two values."""

    path: str
    actual: Any
    desired: Any


@dataclass(frozen=True)
class MappingComparison:
    """`additions` may be put into a living index; `conflicts` may not, and stop deploy."""

    additions: dict[str, Any]
    conflicts: tuple[Difference, ...]


def compare_fields(actual: dict[str, Any], desired: dict[str, Any]) -> MappingComparison:
    """Two `properties` objects. A field that is there and differs is a conflict, never changed."""
    additions: dict[str, Any] = {}
    conflicts: list[Difference] = []
    for name, wanted in desired.items():
        found = actual.get(name)
        if found is None:
            additions[name] = wanted
            continue
        conflicts.extend(_field_conflicts(name, found, wanted))
        inner = _additions_below(found, wanted)
        conflicts.extend(
            Difference(f"{name}.{c.path}", c.actual, c.desired) for c in inner.conflicts
        )
        if inner.additions:
            additions[name] = inner.additions
    return MappingComparison(additions, tuple(conflicts))


def _additions_below(found: dict[str, Any], wanted: dict[str, Any]) -> MappingComparison:
    """New sub-fields. Multi-fields are sent with their parent's own parameters, objects without."""
    additions: dict[str, Any] = {}
    conflicts: list[Difference] = []
    for group in ("properties", "fields"):
        below = compare_fields(found.get(group, NOTHING), wanted.get(group, NOTHING))
        conflicts.extend(below.conflicts)
        if below.additions and group == "fields":
            additions = {**wanted, **additions}
        elif below.additions:
            additions[group] = below.additions
    return MappingComparison(additions, tuple(conflicts))


def _field_conflicts(
    name: str, found: dict[str, Any], wanted: dict[str, Any]
) -> Iterator[Difference]:
    for key, value in wanted.items():
        if key in ("properties", "fields"):
            continue
        # Elasticsearch leaves the type of an object out of what it returns.
        actual = found.get(key, "object" if key == "type" else None)
        if _managed(actual, value) != value:
            yield Difference(f"{name}.{key}", actual, value)
