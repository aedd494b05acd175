"""The engine that an execution names."""

import importlib.util
from pathlib import Path

from bicross.runtime.engine import onnxruntime_graph, openvino_graph
from bicross.runtime.engine.execution import ENGINES, EngineName, Execution
from bicross.runtime.engine.loaded_graph import LoadedGraph


def load_graph(
    file: Path, output: str, execution: Execution, hint: str | None = None
) -> LoadedGraph:
    """`file`, whose safety was checked, ready to give `output`.

    `hint` is the precision that the engine is asked to compute in. Raises `EnvironmentProblem`
    where the engine is not installed or this machine lacks what it needs, and `UnsafeGraph` for a
    file that it cannot load.
    """
    if execution.engine == "openvino":
        return openvino_graph.load(file, output, execution, hint)
    return onnxruntime_graph.load(file, execution)


def installed_engines() -> list[EngineName]:
    """Those that can be tried here, onnxruntime first."""
    return [name for name in ENGINES if _is_installed(name)]


def _is_installed(name: EngineName) -> bool:
    if name == "openvino":
        return importlib.util.find_spec("openvino") is not None
    return onnxruntime_graph.has_provider(name)
