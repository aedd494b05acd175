"""A graph in onnxruntime, on the CPU or on a GPU."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from bicross.errors import EnvironmentProblem, UnsafeGraph
from bicross.runtime.engine.execution import Execution
from bicross.runtime.engine.loaded_graph import FloatArray, IntArray

# onnxruntime lets a model file set session options where this is 1.
CONFIG_FROM_MODEL = "ORT_LOAD_CONFIG_FROM_MODEL"
CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
PROVIDERS = {"onnxruntime": CPU, "onnxruntime-cuda": CUDA, "onnxruntime-tensorrt": TENSORRT}
# float32 means float32: TF32 keeps 10 bits of a number.
CUDA_OPTIONS = {"use_tf32": "0"}


class OnnxRuntimeGraph:
    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self.inputs = frozenset(node.name for node in session.get_inputs())
        self.outputs = {node.name: _width(node.shape) for node in session.get_outputs()}

    def run(self, feeds: Mapping[str, IntArray], output: str) -> FloatArray:
        (found,) = self._session.run([output], feeds)
        return np.asarray(found, np.float32)


def load(file: Path, execution: Execution) -> OnnxRuntimeGraph:
    """See `choice.load_graph`."""
    if os.environ.get(CONFIG_FROM_MODEL, "0") != "0":
        raise EnvironmentProblem(
            f"{CONFIG_FROM_MODEL} is set, which lets a model change how it is run; unset it"
        )
    _require_provider(execution.engine)
    try:
        session = onnxruntime.InferenceSession(
            str(file), sess_options=_options(execution), providers=_providers(execution.engine)
        )
    except Exception as error:  # noqa: BLE001  onnxruntime's errors have no common class
        raise UnsafeGraph(f"{file}: onnxruntime cannot load the graph: {error}") from None
    if PROVIDERS[execution.engine] not in session.get_providers():
        # What onnxruntime cannot start it leaves out, and runs on the CPU.
        raise EnvironmentProblem(
            f"engine {execution.engine}: {PROVIDERS[execution.engine]} is installed but cannot "
            "start here: check the GPU's driver and CUDA's libraries, or use engine onnxruntime"
        )
    return OnnxRuntimeGraph(session)


def has_provider(engine: str) -> bool:
    return PROVIDERS[engine] in onnxruntime.get_available_providers()


def _require_provider(engine: str) -> None:
    if not has_provider(engine):
        found = ", ".join(onnxruntime.get_available_providers())
        raise EnvironmentProblem(
            f"engine {engine} needs {PROVIDERS[engine]}; this onnxruntime has {found}: install "
            "onnxruntime-gpu in its place, or use engine onnxruntime"
        )


def _providers(engine: str) -> list[Any]:
    """Each takes what the one before it cannot run."""
    providers: list[Any] = [CPU]
    if engine != "onnxruntime":
        providers.insert(0, (CUDA, CUDA_OPTIONS))
    if engine == "onnxruntime-tensorrt":
        providers.insert(0, TENSORRT)
    return providers


def _options(execution: Execution) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    # The callers' own threads work too, one for each stream; all streams share the others.
    options.intra_op_num_threads = execution.all_threads - execution.streams + 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    # Threads that spin while they wait take the cores from whoever else works here, such as a node
    # of Elasticsearch: on two busy cores a run of MiniLM-L6 took up to twice the time with it.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Errors reach the caller as exceptions; warnings name nodes and help nobody who serves.
    options.log_severity_level = 3
    return options


def _width(shape: list[Any]) -> int | None:
    return shape[-1] if shape and isinstance(shape[-1], int) else None
