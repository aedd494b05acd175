"""What stands beside a latency, so that nobody compares it with that of another kind of node."""

import os
import platform

from elasticsearch import ApiError, Elasticsearch

WITHOUT_VECTOR_LIBRARY = "-Dorg.elasticsearch.nativeaccess.enableVectorLibrary=false"


def latency_notes(client: Elasticsearch) -> list[str]:
    """The client's machine, and whether a node runs without Elastic's native vector library."""
    machine = f"{os.cpu_count()} CPUs, {platform.machine()}"
    notes = [f"latency is what this client waited, one query at a time, on a machine of {machine}"]
    plain = nodes_without_vector_library(client)
    if plain is None:
        notes.append("the nodes do not tell how they were started; read latencies with care")
    elif plain:
        notes.append(
            f"{', '.join(plain)} runs without Elastic's native vector library, as every local node "
            "does: a distribution's latencies differ"
        )
    return notes


def nodes_without_vector_library(client: Elasticsearch) -> list[str] | None:
    """Names of nodes; None where the caller may not read them."""
    try:
        nodes = client.nodes.info(metric="jvm")["nodes"].values()
    except ApiError:
        return None
    return sorted(
        str(node["name"])
        for node in nodes
        if WITHOUT_VECTOR_LIBRARY in node.get("jvm", {}).get("input_arguments", ())
    )
