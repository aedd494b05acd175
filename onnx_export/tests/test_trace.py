from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from torch import Tensor, nn

from bicross.bundle import Bundle, open_bundle
from bicross.errors import DigestMismatch, UnsupportedArchitecture
from bicross.runtime import BiEncoder
from bicross.runtime.ranking.samples import Sample
from onnx_export.graph.embedding import EmbeddingGraph
from onnx_export.publish import Request, export_model
from onnx_export.source.hub import ModelFolder
from onnx_export.trace import trace_graph

pytestmark = pytest.mark.torch


class Branching(nn.Module):
    """Which way it goes depends on the numbers it is given: no graph can hold that."""

    def forward(self, input_ids: Tensor, **kwargs: object) -> Tensor:
        del kwargs
        return input_ids if input_ids.sum() > 0 else -input_ids


def test_module_that_cannot_be_followed_is_named_with_the_cause(tmp_path: Path) -> None:
    graph = EmbeddingGraph(Branching(), [], ("input_ids",), skips_padding=False)
    with pytest.raises(UnsupportedArchitecture, match=r"cannot export Branching: .*data-dependent"):
        trace_graph(graph, tmp_path / "model.onnx")


@pytest.fixture(scope="module")
def outside(
    models: Any, sample: Sample, narrate: Callable[[str], None], tmp_path_factory: Any
) -> Bundle:
    """A bundle whose weights lie in a file of their own, as those of a large model do."""
    folder, out = models.embedding("mean"), tmp_path_factory.mktemp("outside") / "bundle"
    request = Request(ModelFolder(folder, folder.name), out, sample)
    export_model(request, narrate, partial(trace_graph, max_inline_bytes=0))
    return open_bundle(out)


def test_large_weights_lie_beside_the_graph_and_serve_the_same_vectors(
    models: Any, export: Callable[..., Bundle], outside: Bundle, sample: Sample
) -> None:
    graph = onnx.load(outside.file("onnx/model.onnx"), load_external_data=False)
    places = {entry.value for row in graph.graph.initializer for entry in row.external_data[:1]}
    assert places == {"model.onnx.data"}
    inside = BiEncoder.load(export(models.embedding("mean"))).encode(sample.passages, "passage")
    assert np.array_equal(BiEncoder.load(outside).encode(sample.passages, "passage"), inside)


def test_weights_beside_the_graph_are_verified_when_the_bundle_opens(outside: Bundle) -> None:
    file = outside.file("onnx/model.onnx.data")
    content = bytearray(file.read_bytes())
    content[100] ^= 1
    file.write_bytes(content)
    with pytest.raises(DigestMismatch, match=r"model\.onnx\.data"):
        open_bundle(outside.path)
