"""One graph of a bundle in onnxruntime, on the CPU."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import onnxruntime

from bicross.bundle import Bundle, Manifest
from bicross.bundle.manifest import PrecisionRecord
from bicross.bundle.record import InputType
from bicross.errors import EnvironmentProblem, InvalidManifest, ModelFailed, UnsafeGraph, UsageError
from bicross.runtime.graph_safety import require_safe_graph

FloatArray = npt.NDArray[np.float32]

# onnxruntime lets a model file set session options where this is 1.
CONFIG_FROM_MODEL = "ORT_LOAD_CONFIG_FROM_MODEL"
CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")


@dataclass(frozen=True)
class Session:
    """A loaded graph. `run` may be called from any thread, one call at a time being fastest."""

    who: str
    engine: onnxruntime.InferenceSession
    inputs: tuple[str, ...]
    output: str

    @classmethod
    def load(
        cls,
        bundle: Bundle,
        precision: str = "fp32",
        threads: int | None = None,
        input_type: InputType = "passage",
    ) -> Self:
        """The graph of `input_type`. Raises `UsageError` for a precision that the bundle lacks,
        `UnsafeGraph` for a graph that reaches outside its folder or is none, `InvalidManifest`
        where its tensors differ.
        """
        manifest = bundle.manifest
        record = require_precision(manifest, precision)
        own = input_type == "query" and manifest.query_graph is not None
        file = bundle.file((own and record.query_file) or record.file)
        require_safe_graph(file, bundle)
        who = f"bundle {manifest.name}, {precision}{', queries' if own else ''}"
        graph = (own and manifest.query_graph) or manifest.graph
        session = cls(who, _engine(file, threads), graph.inputs, graph.output)
        session._require_tensors()
        return session

    @property
    def output_width(self) -> int | None:
        """The last dimension of the output, where the graph fixes it."""
        node = next(node for node in self.engine.get_outputs() if node.name == self.output)
        return node.shape[-1] if node.shape and isinstance(node.shape[-1], int) else None

    def run(self, arrays: Mapping[str, npt.NDArray[np.int64]]) -> FloatArray:
        """The manifest's output, float32, for the manifest's inputs, taken from `arrays` by name.

        Raises `ModelFailed` where onnxruntime does, and for an output that is not finite.
        """
        feeds = {name: arrays[name] for name in self.inputs}
        try:
            (output,) = self.engine.run([self.output], feeds)
        except Exception as error:
            shape = feeds[self.inputs[0]].shape
            raise ModelFailed(f"{self.who}: onnxruntime failed on a batch of {shape}") from error
        result: FloatArray = np.asarray(output, np.float32)
        if not np.isfinite(result).all():
            raise ModelFailed(f"{self.who}: the model gave NaN or infinity")
        return result

    def _require_tensors(self) -> None:
        found = {
            "inputs": {node.name for node in self.engine.get_inputs()},
            "outputs": {node.name for node in self.engine.get_outputs()},
        }
        if found["inputs"] != set(self.inputs) or self.output not in found["outputs"]:
            raise InvalidManifest(
                f"{self.who}: the graph has inputs {sorted(found['inputs'])} and outputs "
                f"{sorted(found['outputs'])}, but manifest.json says inputs {sorted(self.inputs)} "
                f"and output {self.output!r}"
            )


def runnable_precisions(manifest: Manifest) -> list[str]:
    """Those that are a file of their own: a hint asks another engine to compute differently."""
    return sorted(name for name, record in manifest.precisions.items() if record.hint is None)


def require_precision(manifest: Manifest, precision: str) -> PrecisionRecord:
    """Raises `UsageError` for a precision that the bundle lacks or onnxruntime cannot run."""
    runnable = runnable_precisions(manifest)
    if precision in runnable:
        return manifest.precisions[precision]
    if precision in manifest.precisions:
        raise UsageError(
            f"bundle {manifest.name}: precision {precision!r} is a hint to another engine, and "
            f"onnxruntime has no such hint; it runs {', '.join(runnable)}"
        )
    raise UsageError(
        f"bundle {manifest.name} has no precision {precision!r}; it has {', '.join(runnable)}"
    )


def available_threads() -> int:
    """Cores this process may use: its affinity, less where a container's quota allows less."""
    cores = len(os.sched_getaffinity(0))
    if CPU_QUOTA.is_file():
        quota, period = CPU_QUOTA.read_text().split()
        if quota != "max":
            cores = min(cores, int(quota) // int(period))
    return max(1, cores)


def _engine(file: Path, threads: int | None) -> onnxruntime.InferenceSession:
    if os.environ.get(CONFIG_FROM_MODEL, "0") != "0":
        raise EnvironmentProblem(
            f"{CONFIG_FROM_MODEL} is set, which lets a model change how it is run; unset it"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or available_threads()
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    # Threads that spin while they wait take the cores from whoever else works here, such as a node
    # of Elasticsearch: on two busy cores a run of MiniLM-L6 took up to twice the time with it.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Errors reach the caller as exceptions; warnings name nodes and help nobody who serves.
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            str(file), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # noqa: BLE001  onnxruntime's errors have no common class
        raise UnsafeGraph(f"{file}: onnxruntime cannot load the graph: {error}") from None
