"""What runs a graph: onnxruntime or OpenVINO, each behind the same few names."""

from bicross.runtime.engine.choice import installed_engines, load_graph
from bicross.runtime.engine.execution import ENGINES, EngineName, Execution
from bicross.runtime.engine.loaded_graph import FloatArray, IntArray, LoadedGraph
from bicross.runtime.engine.precisions import require_precision, runnable_precisions
from bicross.runtime.engine.threads import available_threads

__all__ = [
    "ENGINES",
    "EngineName",
    "Execution",
    "FloatArray",
    "IntArray",
    "LoadedGraph",
    "available_threads",
    "installed_engines",
    "load_graph",
    "require_precision",
    "runnable_precisions",
]
