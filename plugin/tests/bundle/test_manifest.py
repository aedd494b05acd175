import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.bundle import Manifest
from bicross.bundle.manifest import canonical_json
from bicross.errors import InvalidManifest, ManifestError, UnsafePath, UnsupportedFormatVersion

Raw = dict[str, Any]
Digested = Callable[[Raw], Raw]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def changed(raw: Raw, path: str, value: object) -> Raw:
    """A copy with the value at a path of keys, one a line, replaced; the last part may be new."""
    result = copy.deepcopy(raw)
    *parents, last = path.split("\n")
    place = result
    for part in parents:
        place = place[part]
    place[last] = value
    return result


def test_written_manifest_reads_as_the_same(raw: Raw) -> None:
    manifest = Manifest.model_validate(raw)
    assert Manifest.parse(manifest.to_json()) == manifest
    assert Manifest.parse(manifest.to_json()).to_json() == manifest.to_json()


def test_canonical_json_is_one_for_one_value() -> None:
    assert canonical_json({"b": [1, "é"], "a": None}) == '{"a":null,"b":[1,"\\u00e9"]}'


@given(st.data())
def test_mutated_bytes_raise_nothing_but_manifest_errors(raw: Raw, data: st.DataObject) -> None:
    text = bytearray(Manifest.model_validate(raw).to_json().encode())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text) - 1))
        stop = data.draw(st.integers(start, min(len(text), start + 8)))
        text[start:stop] = data.draw(st.binary(max_size=8))
    accept_or_refuse(bytes(text))


@given(st.data())
def test_any_json_in_any_place_raises_nothing_but_manifest_errors(
    raw: Raw, data: st.DataObject
) -> None:
    paths = [key for key in raw if key != "format_version"]
    tables = {key: value for key, value in raw.items() if isinstance(value, dict)}
    paths += [f"{key}\n{inner}" for key, table in tables.items() for inner in table]
    wrong = changed(raw, data.draw(st.sampled_from(paths)), data.draw(JSON))
    accept_or_refuse(json.dumps(wrong).encode())


@given(JSON)
def test_any_json_at_all_raises_nothing_but_manifest_errors(value: object) -> None:
    accept_or_refuse(json.dumps(value).encode())


def accept_or_refuse(text: bytes) -> None:
    """What is accepted must be its own canonical form again."""
    try:
        manifest = Manifest.parse(text)
    except ManifestError:
        return
    assert Manifest.parse(manifest.to_json()) == manifest


@pytest.mark.parametrize("text", [b"", b"\xff", b"[]", b"null", b"{", b"[" * 100_000])
def test_what_is_no_json_object_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidManifest, match=r"manifest\.json is not"):
        Manifest.parse(text)


@pytest.mark.parametrize("version", [0, 2, "1", None, 1.5])
def test_other_format_version_is_refused_with_both(raw: Raw, version: object) -> None:
    text = json.dumps(changed(raw, "format_version", version))
    with pytest.raises(UnsupportedFormatVersion, match=r"format_version .*reads 1"):
        Manifest.parse(text)


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("extra", 1, "extra"),
        ("task", "classification", "task"),
        ("name", "../etc", "name"),
        ("name", "a@b", "name"),
        ("name", "x" * 129, "name"),
        ("max_tokens", 1, "max_tokens"),
        ("max_tokens", 1 << 30, "max_tokens"),
        ("embedding\ndimensions", 0, r"embedding\.dimensions"),
        ("embedding\nsimilarity", "dot", r"embedding\.similarity"),
        ("source\nweights_sha256", "A" * 64, r"source\.weights_sha256"),
        ("digest", "0" * 63, "digest"),
        ("precisions", {}, "precisions"),
        ("files", {}, "files"),
    ],
)
def test_wrong_field_is_named(raw: Raw, path: str, value: object, named: str) -> None:
    with pytest.raises(InvalidManifest, match=f"manifest.json, {named}: "):
        Manifest.parse(json.dumps(changed(raw, path, value)))


def test_missing_field_is_named(raw: Raw) -> None:
    for field in ("name", "digest", "task", "source", "graph", "precisions", "files"):
        rest = {key: value for key, value in raw.items() if key != field}
        with pytest.raises(InvalidManifest, match=f"{field}: Field required"):
            Manifest.parse(json.dumps(rest))


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "c:\\x", "a/../b", "a//b", "./a", "\0"])
def test_path_outside_the_bundle_is_refused(raw: Raw, name: str) -> None:
    record = {"sha256": "0" * 64, "size": 1}
    with pytest.raises((InvalidManifest, UnsafePath), match=r"unsafe path|manifest\.json"):
        Manifest.parse(json.dumps(changed(raw, "files", raw["files"] | {name: record})))


def test_graph_that_is_not_among_the_files_is_refused(raw: Raw) -> None:
    files = {name: row for name, row in raw["files"].items() if not name.endswith(".onnx")}
    with pytest.raises(InvalidManifest, match=r"files lacks \['onnx/model\.onnx'\]"):
        Manifest.parse(json.dumps(changed(raw, "files", files)))


def test_head_of_the_other_task_is_refused(raw: Raw) -> None:
    head = {"labels": 1, "activation": "identity"}
    with pytest.raises(InvalidManifest, match="`rerank` belongs to task rerank"):
        Manifest.parse(json.dumps(changed(raw, "rerank", head)))
    with pytest.raises(InvalidManifest, match="`embedding` belongs to"):
        Manifest.parse(json.dumps(changed(raw, "embedding", None)))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("embedding\npooling", "cls-other"),
        ("embedding\nnormalize", "swap"),
        ("embedding\nprompts", {"query": "other: ", "passage": ""}),
        ("max_tokens", 32),
        ("source\nrevision", "0123abc"),
        ("source\nweights_sha256", "0" * 64),
    ],
)
def test_what_decides_an_output_moves_the_digest(
    raw: Raw, digested: Digested, path: str, value: object
) -> None:
    if value == "swap":
        value = not raw["embedding"]["normalize"]
    other = changed(raw, path, value)
    with pytest.raises(InvalidManifest, match="digest: is not the sha256"):
        Manifest.parse(json.dumps(other))
    assert Manifest.parse(json.dumps(digested(other))).digest != raw["digest"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "other-name"),
        ("source\nmodel", "elsewhere"),
        ("tools", {"torch": "9"}),
        ("precisions\nfp32", {"file": "onnx/model.onnx", "parity": {"min_cosine": 1.0}}),
    ],
)
def test_reports_and_names_leave_the_digest(raw: Raw, path: str, value: object) -> None:
    assert Manifest.parse(json.dumps(changed(raw, path, value))).digest == raw["digest"]


def test_relevance_label_must_exist(raw: Raw) -> None:
    head = {"labels": 2, "relevance_label": 2, "activation": "softmax"}
    cross = raw | {"task": "rerank", "embedding": None, "rerank": head}
    with pytest.raises(InvalidManifest, match="relevance_label 2 of 2 labels"):
        Manifest.parse(json.dumps(cross))
