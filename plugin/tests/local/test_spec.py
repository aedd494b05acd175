from pathlib import Path

import pytest

from bicross.errors import UsageError
from bicross.local.spec import NodeSpec, cluster_of

HOME = Path("/var/node")


@pytest.mark.parametrize("heap", ["512", "half", "0m", "1.5g", "512M -XX:+Evil", ""])
def test_a_heap_that_is_no_size_is_refused(heap: str) -> None:
    with pytest.raises(UsageError, match="write it as 512m or 2g"):
        NodeSpec(version="9.5.3", home=HOME, heap=heap)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_that_cannot_be_is_refused(port: int) -> None:
    with pytest.raises(UsageError, match=f"port {port} is not between 1 and 65535"):
        NodeSpec(version="9.5.3", home=HOME, port=port)


def test_data_lie_in_the_home_unless_said_otherwise() -> None:
    assert NodeSpec(version="9.5.3", home=HOME).data_folder == HOME / "data"
    assert NodeSpec(version="9.5.3", home=HOME, data=Path("/d")).data_folder == Path("/d")


def test_secrets_do_not_show_in_a_printed_spec() -> None:
    spec = NodeSpec(version="9.5.3", home=HOME, keystore={"bicross.endpoint.local.api_key": "s3cr"})
    assert "s3cr" not in repr(spec)


def test_members_of_a_cluster_know_each_other_and_who_founds_it() -> None:
    one = NodeSpec(version="9.5.3", home=HOME, name="one", transport_port=9310)
    two = NodeSpec(version="9.5.3", home=HOME, name="two", transport_port=9311)
    for member in cluster_of([one, two]):
        assert member.settings["discovery.seed_hosts"] == ["127.0.0.1:9310", "127.0.0.1:9311"]
        assert member.settings["cluster.initial_master_nodes"] == ["one"]
        assert member.settings["discovery.type"] == "multi-node"


@pytest.mark.parametrize(
    ("names", "ports"), [(("one", "one"), (9310, 9311)), (("one", "two"), (9310, None))]
)
def test_a_cluster_of_nodes_that_cannot_find_each_other_is_refused(
    names: tuple[str, str], ports: tuple[int, int | None]
) -> None:
    specs = [
        NodeSpec(version="9.5.3", home=HOME, name=name, transport_port=port)
        for name, port in zip(names, ports, strict=True)
    ]
    with pytest.raises(UsageError, match="different names and a transport_port each"):
        cluster_of(specs)
