"""OpenVINO reading the bundle's own ONNX file, in bicross' batches: a candidate engine.

Numbers of another precision come from a hint to the plugin for CPUs; the file stays float32.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import openvino  # type: ignore[import-not-found, import-untyped, unused-ignore]
from openvino import properties  # type: ignore[import-not-found, import-untyped, unused-ignore]
from openvino.properties import hint  # type: ignore[import-not-found, import-untyped, unused-ignore]

from benchmarks.serving.engines.engine import Load, Numbers
from bicross.bundle import Bundle, open_bundle
from bicross.runtime import Tokenizer, TokenSequence, pad, plan_batches

PRECISIONS = {"fp32": openvino.Type.f32, "bf16": openvino.Type.bf16, "fp16": openvino.Type.f16}


class WrongPrecision(Exception):
    """The plugin took the hint and computes otherwise."""


class Graph:
    """One compiled graph; batches of one call run side by side on its streams."""

    def __init__(self, bundle: Bundle, load: Load) -> None:
        manifest = bundle.manifest
        self.tokenizer = Tokenizer.load(bundle)
        self._names = manifest.graph.inputs
        self._output = manifest.graph.output
        self._budget: int = load.options["token_budget"]
        compiled = openvino.Core().compile_model(
            str(bundle.file(manifest.precisions["fp32"].file)),
            "CPU",
            {
                hint.inference_precision: PRECISIONS[load.options["precision"]],
                properties.num_streams: load.options["streams"],
                properties.inference_num_threads: load.threads,
            },
        )
        computed = compiled.get_property(hint.inference_precision)
        if computed != PRECISIONS[load.options["precision"]]:
            raise WrongPrecision(f"this CPU computes in {computed} whatever it is asked for")
        self._queue = openvino.AsyncInferQueue(compiled, load.options["streams"])

    def run(self, rows: Sequence[TokenSequence], width: int) -> Numbers:
        """The graph's output, one row for each, [len(rows), width]."""
        result = np.empty((len(rows), width), np.float32)

        def keep(request: Any, batch: list[int]) -> None:  # noqa: ANN401  the binding's own type
            result[batch] = request.get_tensor(self._output).data

        self._queue.set_callback(keep)
        for batch in plan_batches([row.length for row in rows], self._budget):
            arrays = pad([rows[index] for index in batch], self.tokenizer.pad_id)
            self._queue.start_async({name: arrays[name] for name in self._names}, batch)
        self._queue.wait_all()
        return result


class OpenVino:
    def __init__(self, load: Load) -> None:
        bi, cross = open_bundle(load.bi_bundle), open_bundle(load.cross_bundle)
        if bi.manifest.embedding is None or cross.manifest.rerank is None:
            raise TypeError(f"{bi.path} and {cross.path} are not a bi- and a cross-encoder")
        self._dimensions = bi.manifest.embedding.dimensions
        self._bi, self._cross = Graph(bi, load), Graph(cross, load)

    def encode(self, texts: Sequence[str]) -> Numbers:
        return self._bi.run(self._bi.tokenizer.encode_texts(texts), self._dimensions)

    def score(self, query: str, passages: Sequence[str]) -> Numbers:
        return self._cross.run(self._cross.tokenizer.encode_pairs(query, passages), 1)[:, 0]


engine = OpenVino
