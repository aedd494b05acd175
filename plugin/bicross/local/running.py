"""The nodes that the command line started: found, described, ended."""

from pathlib import Path
from typing import Any

from bicross.errors import UsageError
from bicross.local.places import nodes_folder
from bicross.local.readiness import health, last_lines
from bicross.local.record import NodeRecord, end_process, read_record, running_record
from bicross.local.releases import locked_versions

LOG = Path("logs", "node.log")


def running_nodes() -> list[NodeRecord]:
    """Records of the nodes that live, in the order of their homes' names."""
    found = (running_record(home) for home in sorted(nodes_folder().glob("*.*.*")))
    return [record for record in found if record is not None]


def describe_all() -> list[dict[str, Any]]:
    """One row per running node; `health` is None for a node that does not answer."""
    rows = []
    for record in running_nodes():
        process = record.process()
        memory = round(process.memory_info().rss / 1e6) if process else None
        rows.append(
            {
                "version": record.version,
                "url": record.url,
                "port": record.port,
                "pid": record.pid,
                "health": health(record.url),
                "plugin": record.with_plugin,
                "endpoints": list(record.endpoints),
                "memory_mb": memory,
                "data": record.data,
                "java": record.java,
                "log": record.log,
            }
        )
    return rows


def stop_all(version: str | None) -> list[dict[str, Any]]:
    """Ends the running nodes, or that of one version; a row for each that was ended."""
    ended = []
    for record in running_nodes():
        process = record.process()
        if process is not None and version in (None, record.version):
            gracefully = end_process(process)
            ended.append({"version": record.version, "pid": record.pid, "gracefully": gracefully})
    return ended


def end_of_log(version: str | None, lines: int) -> tuple[Path, str]:
    """The log and its last lines: of `version`, else of the node started last.

    Raises `UsageError` where none was started.
    """
    homes = [nodes_folder() / one for one in ([version] if version else locked_versions())]
    started = [(record.created, home) for home in homes if (record := read_record(home))]
    if not started:
        which = f"Elasticsearch {version}" if version else "a local node"
        raise UsageError(f"no log: {which} was never started here; see `bicross local up`")
    log = max(started)[1] / LOG
    return log, last_lines(log, lines)
