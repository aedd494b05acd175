"""What a local node is to be: one frozen record, checked when it is made."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from bicross.errors import UsageError

DEFAULT_PORT = 9200
DEFAULT_ENDPOINT = "http://127.0.0.1:8380"
ENDPOINT_NAME = "local"

SettingValue = str | int | float | bool | list[str]

_HEAP = re.compile(r"^[1-9][0-9]*[mg]$")


@dataclass(frozen=True)
class NodeSpec:
    """One node.

    `home` holds everything that the node reads and writes; `data` may lie elsewhere. `plugins` are
    zips or unpacked folders, a folder of its own each, so that naming one twice installs it twice;
    None means the product's own, where it is built. `endpoints` are the model server's addresses.
    `settings` are further lines of elasticsearch.yml, `keystore` the secure ones. Without a
    `transport_port` the node takes a free one from 9300 on.

    `entitlements` starts the server's true main class with entitlements enforced. It refuses root,
    so root's nodes run as `run_as` then, and `home` must be open to that user.

    Raises `UsageError` for a heap or a port that cannot be.
    """

    version: str
    home: Path
    port: int = DEFAULT_PORT
    transport_port: int | None = None
    name: str = "local"
    java: Path | None = None
    heap: str = "512m"
    log_level: str = "warn"
    data: Path | None = None
    endpoints: tuple[str, ...] = (DEFAULT_ENDPOINT,)
    plugins: tuple[Path, ...] | None = None
    settings: Mapping[str, SettingValue] = field(default_factory=dict)
    keystore: Mapping[str, str] = field(default_factory=dict, repr=False)
    jvm_options: tuple[str, ...] = ()
    entitlements: bool = False
    run_as: str = "nobody"

    def __post_init__(self) -> None:
        if not _HEAP.match(self.heap):
            raise UsageError(f"heap {self.heap!r} is not a size; write it as 512m or 2g")
        for port in (self.port, self.transport_port):
            if port is not None and not 0 < port < 65536:
                raise UsageError(f"port {port} is not between 1 and 65535")

    @property
    def data_folder(self) -> Path:
        return self.data if self.data is not None else self.home / "data"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def cluster_of(specs: list[NodeSpec]) -> list[NodeSpec]:
    """The same nodes as members of one cluster on this machine; each needs a transport port.

    The first is the one that may found the cluster. Start all before waiting for any.
    """
    unset = [spec.name for spec in specs if spec.transport_port is None]
    if unset or len({spec.name for spec in specs}) < len(specs):
        raise UsageError(
            "nodes of a cluster need different names and a transport_port each; "
            f"names: {[spec.name for spec in specs]}, without transport_port: {unset}"
        )
    membership: dict[str, SettingValue] = {
        "discovery.type": "multi-node",
        "discovery.seed_hosts": [f"127.0.0.1:{spec.transport_port}" for spec in specs],
        "cluster.initial_master_nodes": [specs[0].name],
    }
    return [replace(spec, settings={**membership, **spec.settings}) for spec in specs]
