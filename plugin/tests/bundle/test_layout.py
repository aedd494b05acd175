import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.bundle.layout import graph_path, safe_path
from bicross.errors import UnsafePath

PART = st.text("abcXYZ0189_-", min_size=1, max_size=8)


@given(st.lists(PART, min_size=1, max_size=4))
def test_plain_relative_path_is_safe(parts: list[str]) -> None:
    path = "/".join(parts)
    assert safe_path(path) == path


@given(st.lists(PART | st.sampled_from(["..", "", ".", "a\\b", "c:", "x\0"]), max_size=4))
def test_accepted_path_never_leaves_its_folder(parts: list[str]) -> None:
    path = "/".join(parts)
    try:
        assert safe_path(path) == path
    except UnsafePath:
        return
    assert path
    assert not {"..", "", "."} & set(path.split("/"))
    assert not set("\\:\0") & set(path)


@pytest.mark.parametrize(
    "path",
    ["", "/", "/a", "..", "../a", "a/..", "a/../b", "a//b", "a/", "./a", "a\\b", "C:/a", "a\0"],
)
def test_unsafe_path_is_named(path: str) -> None:
    with pytest.raises(UnsafePath, match="unsafe path"):
        safe_path(path)


def test_graph_of_fp32_has_the_plain_name() -> None:
    assert graph_path("fp32") == "onnx/model.onnx"
    assert graph_path("int8") == "onnx/model_int8.onnx"
