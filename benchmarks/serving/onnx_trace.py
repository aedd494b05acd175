"""What onnxruntime's own profiler says about the runs of one graph."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import onnxruntime

BETWEEN = "between kernels"


def traced_engine(graph: Path, threads: int, scratch: Path) -> onnxruntime.InferenceSession:
    """The graph with the server's own settings, and the profiler on."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    options.enable_profiling = True
    options.profile_file_prefix = str(scratch / "trace")
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


def read_trace(engine: onnxruntime.InferenceSession) -> list[dict[str, Any]]:
    """Its events so far; the profiler stops."""
    events: list[dict[str, Any]] = json.loads(Path(engine.end_profiling()).read_bytes())
    return events


def operator_seconds(events: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Seconds of each operator's kernels in onnxruntime's trace, and of the runs in all.

    A run's own time, beyond its kernels', is the engine's between them.
    """
    spent: defaultdict[str, float] = defaultdict(float)
    for event in events:
        seconds = event.get("dur", 0) / 1e6
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            spent[event["args"]["op_name"]] += seconds
        elif event.get("name") == "model_run":
            spent[BETWEEN] += seconds
    kernels = sum(value for name, value in spent.items() if name != BETWEEN)
    spent[BETWEEN] = max(0.0, spent[BETWEEN] - kernels)
    return dict(spent)
