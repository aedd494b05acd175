"""manifest.json and goldens.json edited anywhere: valid, or a ManifestError, and nothing else.

A longer run: `BICROSS_FUZZ_EXAMPLES=5000 pytest plugin/tests/bundle/test_fuzz.py`.
"""

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bicross.bundle import Goldens, Manifest
from bicross.errors import ManifestError

BUNDLES = Path(__file__).parents[1] / "bundles"
EXAMPLES = int(os.environ.get("BICROSS_FUZZ_EXAMPLES", "0"))
FUZZ = settings(
    max_examples=EXAMPLES or 150,
    derandomize=not EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
NUMBERS = st.integers() | st.floats() | st.sampled_from([0, -1, 1 << 31, 1 << 63, 1 << 200, 1e308])
TEXTS = st.text() | st.sampled_from(["", "../x", "/etc/passwd", "a\0b", "0" * 64, "text_embedding"])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
Places = list[tuple[Any, Any]]


def places(value: object) -> Places:
    """Every (container, key) of a JSON value, outer ones first."""
    found: Places = []
    keys: Any = value if isinstance(value, dict) else ()
    keys = range(len(value)) if isinstance(value, list) else keys
    container: Any = value
    for key in keys:
        found.append((container, key))
        found += places(container[key])
    return found


def edit(raw: Any, data: st.DataObject) -> Any:
    changed = copy.deepcopy(raw)
    for _ in range(data.draw(st.integers(1, 3))):
        known = places(changed)
        if not known:
            return changed
        container, key = data.draw(st.sampled_from(known))
        how = data.draw(st.sampled_from(["replace", "remove", "add", "swap"]))
        if how == "replace":
            container[key] = data.draw(JSON)
        elif how == "remove":
            del container[key]
        elif how == "add" and isinstance(container, dict):
            container[data.draw(TEXTS)] = data.draw(JSON)
        else:
            other, other_key = data.draw(st.sampled_from(known))
            container[key] = copy.deepcopy(other[other_key])
    return changed


@pytest.fixture(scope="module", params=["tiny-bi", "tiny-cross"])
def folder(request: pytest.FixtureRequest) -> Path:
    return BUNDLES / str(request.param)


@given(data=st.data())
@FUZZ
def test_edited_manifest_is_valid_or_refused(folder: Path, data: st.DataObject) -> None:
    changed = edit(json.loads((folder / "manifest.json").read_text()), data)
    if data.draw(st.booleans()):
        changed = sealed(changed)
    try:
        manifest = Manifest.parse(json.dumps(changed))
    except ManifestError:
        return
    assert Manifest.parse(manifest.to_json()) == manifest


def sealed(changed: Any) -> Any:
    """With the digest that belongs to it, as whoever made the edit would write."""
    try:
        digest = Manifest.model_validate(changed).sealed().digest
    except (ManifestError, ValidationError):
        return changed
    return {**changed, "digest": digest}


@given(data=st.data())
@FUZZ
def test_edited_goldens_are_valid_or_refused(folder: Path, data: st.DataObject) -> None:
    changed = edit(json.loads((folder / "goldens.json").read_text()), data)
    try:
        goldens = Goldens.parse(json.dumps(changed))
    except ManifestError:
        return
    assert Goldens.parse(goldens.to_json()) == goldens
