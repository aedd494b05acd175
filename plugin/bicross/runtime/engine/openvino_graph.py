"""A graph in OpenVINO, on the CPU, read from the same ONNX file."""

import importlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Condition
from typing import Any

import numpy as np

from bicross.errors import EnvironmentProblem, UnsafeGraph
from bicross.runtime.engine.execution import Execution
from bicross.runtime.engine.loaded_graph import FloatArray, IntArray

# Importing these reports the import to Intel's counters; only the converter needs them.
TOOLS = "openvino.tools.ovc"
# What has no hint is computed as it is written: without one OpenVINO takes bfloat16 on a CPU that
# has it, and the numbers of one bundle would depend on the machine.
AS_WRITTEN = "f32"
# OpenVINO prepares itself for each shape of a batch and keeps the parts, in each stream 5,000 where
# it is not told. A shape has about six; for MiniLM-L6 in bfloat16 they took 0.7 MiB and 2 ms.
PREPARED_PARTS = 1024


class OpenVinoGraph:
    """`requests`, one of each stream, run one call each at a time, the last that ended first: the
    memory of each grows to its largest batch. The `spare` has all streams' threads.
    """

    def __init__(
        self,
        inputs: frozenset[str],
        outputs: Mapping[str, int | None],
        requests: Sequence[Any],
        spare: Any | None,  # noqa: ANN401  untyped
    ) -> None:
        self.inputs = inputs
        self.outputs = outputs
        self._spare = spare
        # The spare, while it is idle, is the first.
        self._idle = [*([] if spare is None else [spare]), *requests]
        self._all = len(self._idle)
        self._changed = Condition()

    def run(self, feeds: Mapping[str, IntArray], output: str) -> FloatArray:
        """A call beyond the requests waits for one that is idle."""
        request = self._take()
        try:
            request.infer(dict(feeds), share_inputs=True, share_outputs=True)
            return np.array(request.get_tensor(output).data, np.float32)
        finally:
            self._give_back(request)

    def _take(self) -> Any:  # noqa: ANN401  untyped
        """The spare for a call that comes alone, and for one that finds all streams busy.

        Alone it would have one stream's threads, and the others none to do: on two cores a query
        took 5.1 ms instead of 4.4.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._idle)
            alone = len(self._idle) == self._all
            return self._idle.pop(0 if alone and self._spare is not None else -1)

    def _give_back(self, request: Any) -> None:  # noqa: ANN401  untyped
        with self._changed:
            self._idle.insert(0 if request is self._spare else len(self._idle), request)
            self._changed.notify()


def load(file: Path, output: str, execution: Execution, hint: str | None) -> OpenVinoGraph:
    """See `choice.load_graph`."""
    openvino = _import()
    core = openvino.Core()
    wanted = hint or AS_WRITTEN
    try:
        model = core.read_model(str(file))
        outputs = {name: _width(port) for port in model.outputs for name in port.get_names()}
        _keep_only(model, output)
        compiled = core.compile_model(model, "CPU", _properties(execution, wanted))
        requests = [compiled.create_infer_request() for _ in range(execution.streams)]
        spare = None
        if execution.spare:
            # A graph of its own: OpenVINO has no more streams than cores.
            one_stream = _properties(replace(execution, streams=1), wanted)
            spare = core.compile_model(model, "CPU", one_stream).create_infer_request()
    except Exception as error:  # noqa: BLE001  OpenVINO raises RuntimeError and its kin
        raise UnsafeGraph(f"{file}: openvino cannot load the graph: {error}") from None
    computed = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
    if computed != wanted:
        raise EnvironmentProblem(
            f"engine openvino computes in {computed} on this CPU and was asked for {wanted}, "
            "which needs AMX or AVX512-BF16; choose another precision"
        )
    inputs = frozenset(name for port in compiled.inputs for name in port.get_names())
    return OpenVinoGraph(inputs, outputs, requests, spare)


def _properties(execution: Execution, precision: str) -> dict[str, Any]:
    return {
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": execution.all_threads,
        "NUM_STREAMS": execution.streams,
        # By default hyper-threads stay idle for one stream, and threads are bound to cores as if
        # nobody else worked here.
        "ENABLE_HYPER_THREADING": True,
        "ENABLE_CPU_PINNING": False,
        # Weights in 8 or 4 bits are multiplied as floats, as the exporter's gate measured them.
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,
        "CPU_RUNTIME_CACHE_CAPACITY": PREPARED_PARTS,
    }


def _keep_only(model: Any, output: str) -> None:  # noqa: ANN401  untyped
    """Outputs that nobody reads would be written for every token."""
    results = [(port.get_names(), port.get_node()) for port in model.outputs]
    if any(output in names for names, _ in results):
        for names, node in results:
            if output not in names:
                model.remove_result(node)


def _import() -> Any:  # noqa: ANN401  untyped
    """The package without its converter, which would report that it was imported."""
    hidden = TOOLS not in sys.modules
    if hidden:
        # None is how an import is refused.
        sys.modules[TOOLS] = None  # type: ignore[assignment]
    try:
        return importlib.import_module("openvino")
    except ImportError as error:
        raise EnvironmentProblem(
            f"engine openvino needs the openvino package ({error}); install bicross[openvino]"
        ) from None
    finally:
        if hidden:
            del sys.modules[TOOLS]


def _width(port: Any) -> int | None:  # noqa: ANN401  untyped
    shape = port.get_partial_shape()
    if shape.rank.is_dynamic or len(shape) == 0 or shape[-1].is_dynamic:
        return None
    return int(shape[-1].get_length())
