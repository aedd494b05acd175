"""One graph of a bundle in an engine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from bicross.bundle import Bundle
from bicross.bundle.record import InputType
from bicross.errors import InvalidManifest, ModelFailed
from bicross.runtime.engine import (
    Execution,
    FloatArray,
    IntArray,
    LoadedGraph,
    load_graph,
    require_precision,
)
from bicross.runtime.graph_safety import require_safe_graph

DEFAULT = Execution()


@dataclass(frozen=True)
class Session:
    """A loaded graph. `run` may be called by as many threads at once as there are streams."""

    who: str
    graph: LoadedGraph
    inputs: tuple[str, ...]
    output: str

    @classmethod
    def load(
        cls, bundle: Bundle, execution: Execution = DEFAULT, input_type: InputType = "passage"
    ) -> Self:
        """The graph of `input_type`. Raises `UsageError` for a precision that the bundle lacks or
        the engine cannot run, `EnvironmentProblem` where the engine is not installed,
        `UnsafeGraph` for a graph that reaches outside its folder or is none, `InvalidManifest`
        where its tensors differ.
        """
        manifest = bundle.manifest
        record = require_precision(manifest, execution.precision, execution.engine)
        own = input_type == "query" and manifest.query_graph is not None
        file = bundle.file((own and record.query_file) or record.file)
        require_safe_graph(file, bundle)
        tensors = (own and manifest.query_graph) or manifest.graph
        who = f"bundle {manifest.name}, {execution.precision}{', queries' if own else ''}"
        graph = load_graph(file, tensors.output, execution, record.hint)
        session = cls(who, graph, tensors.inputs, tensors.output)
        session._require_tensors()
        return session

    @property
    def output_width(self) -> int | None:
        """The last dimension of the output, where the graph fixes it."""
        return self.graph.outputs[self.output]

    def run(self, arrays: Mapping[str, IntArray]) -> FloatArray:
        """The manifest's output, float32, for the manifest's inputs, taken from `arrays` by name.

        Raises `ModelFailed` where the engine does, and for an output that is not finite.
        """
        feeds = {name: arrays[name] for name in self.inputs}
        try:
            result = self.graph.run(feeds, self.output)
        except Exception as error:
            shape = feeds[self.inputs[0]].shape
            raise ModelFailed(f"{self.who}: the engine failed on a batch of {shape}") from error
        if not np.isfinite(result).all():
            raise ModelFailed(f"{self.who}: the model gave NaN or infinity")
        return result

    def _require_tensors(self) -> None:
        inputs, outputs = self.graph.inputs, self.graph.outputs
        if inputs != set(self.inputs) or self.output not in outputs:
            raise InvalidManifest(
                f"{self.who}: the graph has inputs {sorted(inputs)} and outputs "
                f"{sorted(outputs)}, but manifest.json says inputs {sorted(self.inputs)} "
                f"and output {self.output!r}"
            )
