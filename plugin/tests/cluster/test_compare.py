"""Desired against actual: what Elasticsearch fills in is no change, what differs is a conflict."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.cluster.compare import compare_fields, managed_part

leaves = st.integers() | st.text(max_size=3) | st.booleans()
keys = st.sampled_from(["a", "b", "c"])
objects = st.dictionaries(
    keys, st.recursive(leaves, lambda inner: st.dictionaries(keys, inner), max_leaves=6)
)


@given(desired=objects, extra=objects)
def test_what_is_desired_and_more_has_the_desired_as_its_managed_part(
    desired: dict[str, Any], extra: dict[str, Any]
) -> None:
    assert managed_part({**extra, **desired}, desired) == desired


def test_a_missing_key_shows_as_missing() -> None:
    assert managed_part({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}) == {"a": {"b": 1}}


def test_a_new_field_is_an_addition() -> None:
    compared = compare_fields({"a": {"type": "text"}}, {"b": {"type": "keyword"}})
    assert compared.additions == {"b": {"type": "keyword"}}
    assert compared.conflicts == ()


def test_defaults_that_elasticsearch_returns_are_no_conflict() -> None:
    actual = {"v": {"type": "dense_vector", "dims": 3, "index": True, "index_options": {"m": 16}}}
    compared = compare_fields(actual, {"v": {"type": "dense_vector", "dims": 3}})
    assert (compared.additions, compared.conflicts) == ({}, ())


@pytest.mark.parametrize(
    ("key", "actual", "desired"),
    [
        ("type", "keyword", "text"),
        ("dims", 384, 768),
        ("similarity", "cosine", "dot_product"),
        ("analyzer", None, "english"),
    ],
)
def test_a_field_that_differs_is_a_conflict_with_both_values(
    key: str, actual: object, desired: object
) -> None:
    found = {"f": {key: actual}} if actual is not None else {"f": {}}
    [conflict] = compare_fields(found, {"f": {key: desired}}).conflicts
    assert (conflict.path, conflict.actual, conflict.desired) == (f"f.{key}", actual, desired)


def test_an_object_is_returned_without_its_type_and_that_is_no_conflict() -> None:
    actual = {"o": {"properties": {"a": {"type": "text"}}}}
    desired = {"o": {"type": "object", "properties": {"a": {"type": "text"}}}}
    assert compare_fields(actual, desired).conflicts == ()


def test_a_new_field_of_an_object_is_added_alone() -> None:
    actual = {"o": {"properties": {"a": {"type": "text"}}}}
    desired = {"o": {"properties": {"a": {"type": "text"}, "b": {"type": "long"}}}}
    assert compare_fields(actual, desired).additions == {
        "o": {"properties": {"b": {"type": "long"}}}
    }


def test_a_new_multi_field_is_sent_with_its_parent_whole() -> None:
    actual = {"t": {"type": "text", "analyzer": "english"}}
    desired = {"t": {**actual["t"], "fields": {"raw": {"type": "keyword"}}}}
    assert compare_fields(actual, desired).additions == desired


def test_a_conflict_below_an_object_is_named_by_its_path() -> None:
    actual = {"o": {"properties": {"v": {"type": "dense_vector", "dims": 3}}}}
    desired = {"o": {"properties": {"v": {"type": "dense_vector", "dims": 4}}}}
    [conflict] = compare_fields(actual, desired).conflicts
    assert conflict.path == "o.v.dims"
