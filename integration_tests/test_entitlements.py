"""The true main class, entitlements enforced, as a user who is not root."""

import os
from pathlib import Path

import pytest
from rest import Rest
from test_node import fill, own_spec
from test_rerank import rerank
from test_search import knn
from wire import Wire

from bicross.local.node import LocalNode

WITHOUT_BRIDGE = {"9.2.0": "the entitlement bridge of 9.2.0 is not published"}


def test_the_plugin_lives_within_its_entitlement_policy(
    es_version: str, wire: Wire, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if es_version in WITHOUT_BRIDGE:
        pytest.skip(WITHOUT_BRIDGE[es_version])
    home: Path = tmp_path_factory.mktemp("entitled")
    open_for_others(home)
    spec = own_spec(es_version, home / "es", wire, entitlements=True)
    with LocalNode(spec) as node, Rest(node.url) as rest:
        assert Path(f"/proc/{node.pid}").stat().st_uid != 0
        fill(rest)
        assert rest.hits("animals", {"knn": knn()})
        assert len(rest.hits("animals", {"retriever": rerank(), "size": 5})) == 5
        (row,) = rest.ok("GET", "/_bicross")["nodes"].values()
        assert row["endpoints"][0]["urls"][0]["answers"]


def open_for_others(folder: Path) -> None:
    """Pytest's folders are the owner's alone; the node's user has to pass through them."""
    if os.geteuid() != 0:
        return
    for parent in (folder, *folder.parents):
        if parent.stat().st_mode & 0o005 != 0o005:
            parent.chmod(parent.stat().st_mode | 0o055)
