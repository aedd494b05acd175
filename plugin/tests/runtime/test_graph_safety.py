"""A graph may use known operators and files of its own bundle, and nothing else."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bicross.bundle import Bundle
from bicross.errors import UnsafeGraph
from bicross.runtime.graph_safety import require_safe_graph

Message = Callable[..., bytes]
Copied = Callable[[Bundle], Bundle]

# Field numbers of onnx.proto.
GRAPH, OPSET, FUNCTIONS = 7, 8, 25
NODE, INITIALIZER = 1, 5
OPERATOR, ATTRIBUTE, DOMAIN = 4, 5, 7
ATTRIBUTE_GRAPH, ATTRIBUTE_TENSOR = 6, 5
EXTERNAL_DATA = 13


def check(bundle: Bundle, content: bytes) -> None:
    file = bundle.path / "onnx" / "model.onnx"
    file.write_bytes(content)
    require_safe_graph(file, bundle)


def test_exported_graphs_are_safe(bi_bundle: Bundle, cross_bundle: Bundle) -> None:
    for bundle in (bi_bundle, cross_bundle):
        require_safe_graph(bundle.file("onnx/model.onnx"), bundle)


@pytest.mark.parametrize("domain", ["ai.onnx", "ai.onnx.ml", "com.microsoft", ""])
def test_operators_of_known_domains_are_allowed(
    domain: str, message: Message, copied: Copied, bi_bundle: Bundle
) -> None:
    node = message((OPERATOR, "Relu"), (DOMAIN, domain))
    check(copied(bi_bundle), message((GRAPH, message((NODE, node)))))


def test_operator_of_a_foreign_domain_is_refused_by_both_names(
    message: Message, copied: Copied, bi_bundle: Bundle
) -> None:
    node = message((OPERATOR, "RunShell"), (DOMAIN, "evil.ops"))
    with pytest.raises(UnsafeGraph, match=r"RunShell of domain 'evil\.ops'"):
        check(copied(bi_bundle), message((GRAPH, message((NODE, node)))))


def test_operator_inside_a_branch_is_found(
    message: Message, copied: Copied, bi_bundle: Bundle
) -> None:
    inner = message((NODE, message((OPERATOR, "Hidden"), (DOMAIN, "evil.ops"))))
    branch = message((ATTRIBUTE_GRAPH, inner))
    node = message((OPERATOR, "If"), (ATTRIBUTE, branch))
    with pytest.raises(UnsafeGraph, match="Hidden"):
        check(copied(bi_bundle), message((GRAPH, message((NODE, node)))))


def test_import_of_a_foreign_domain_is_refused(
    message: Message, copied: Copied, bi_bundle: Bundle
) -> None:
    with pytest.raises(UnsafeGraph, match=r"evil\.ops"):
        check(copied(bi_bundle), message((OPSET, message((1, "evil.ops"), (2, 1)))))


def test_function_of_the_graph_itself_may_have_its_own_domain(
    message: Message, copied: Copied, bi_bundle: Bundle
) -> None:
    function = message((1, "Gelu"), (7, message((OPERATOR, "Erf"))), (10, "pkg.own"))
    node = message((OPERATOR, "Gelu"), (DOMAIN, "pkg.own"))
    graph = message((GRAPH, message((NODE, node))), (FUNCTIONS, function))
    check(copied(bi_bundle), graph)


def test_function_of_the_graph_may_not_hide_a_foreign_operator(
    message: Message, copied: Copied, bi_bundle: Bundle
) -> None:
    hidden = message((OPERATOR, "Hidden"), (DOMAIN, "evil.ops"))
    function = message((1, "Gelu"), (7, hidden), (10, "pkg.own"))
    with pytest.raises(UnsafeGraph, match="Hidden"):
        check(copied(bi_bundle), message((FUNCTIONS, function)))


@pytest.mark.parametrize(
    "location", ["../../secret", "/etc/passwd", "weights.bin", "..\\x", "C:/x", ""], ids=repr
)
def test_external_tensor_outside_the_manifest_is_refused(
    location: str, message: Message, copied: Copied, bi_bundle: Bundle
) -> None:
    tensor = message((EXTERNAL_DATA, message((1, "location"), (2, location))))
    with pytest.raises(UnsafeGraph, match="external data"):
        check(copied(bi_bundle), message((GRAPH, message((INITIALIZER, tensor)))))


def test_external_tensor_of_a_node_s_attribute_is_found(
    message: Message, copied: Copied, bi_bundle: Bundle
) -> None:
    tensor = message((EXTERNAL_DATA, message((1, "location"), (2, "/etc/passwd"))))
    node = message((OPERATOR, "Constant"), (ATTRIBUTE, message((ATTRIBUTE_TENSOR, tensor))))
    with pytest.raises(UnsafeGraph, match="/etc/passwd"):
        check(copied(bi_bundle), message((GRAPH, message((NODE, node)))))


def test_external_tensor_in_a_listed_file_is_allowed(
    message: Message, copied: Copied, bi_bundle: Bundle
) -> None:
    tensor = message((EXTERNAL_DATA, message((1, "location"), (2, "model.onnx"))))
    check(copied(bi_bundle), message((GRAPH, message((INITIALIZER, tensor)))))


def test_bottomless_nesting_is_refused(message: Message, copied: Copied, bi_bundle: Bundle) -> None:
    graph = b""
    for _ in range(200):
        node = message((ATTRIBUTE, message((ATTRIBUTE_GRAPH, graph))))
        graph = message((NODE, node))
    with pytest.raises(UnsafeGraph, match="not an ONNX file"):
        check(copied(bi_bundle), message((GRAPH, graph)))


def test_empty_file_is_refused(copied: Copied, bi_bundle: Bundle) -> None:
    with pytest.raises(UnsafeGraph, match="empty"):
        check(copied(bi_bundle), b"")


@given(start=st.integers(0, 2000), junk=st.binary(min_size=1, max_size=40))
@example(start=0, junk=b"\xff" * 12)
@settings(suppress_health_check=list(HealthCheck), max_examples=200)
def test_damaged_files_raise_nothing_but_unsafe_graph(
    start: int, junk: bytes, bi_bundle: Bundle, tmp_path: Path
) -> None:
    whole = bi_bundle.file("onnx/model.onnx").read_bytes()
    file = tmp_path / "model.onnx"
    file.write_bytes(whole[:start] + junk + whole[start + len(junk) : 4000])
    bundle = Bundle(tmp_path, bi_bundle.manifest, bi_bundle.goldens)
    with suppress(UnsafeGraph):
        require_safe_graph(file, bundle)
