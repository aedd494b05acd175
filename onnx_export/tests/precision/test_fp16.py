from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto

from onnx_export.precision import fp16
from onnx_export.precision.activations import largest_values
from onnx_export.precision.material import Material
from onnx_export.tests.precision.graphs import masked, squared, two_products


def run(file: Path, material: Material) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    (found,) = session.run(["out"], material.feeds[0])
    return np.asarray(found)


def test_half_the_bytes_give_nearly_the_same_numbers(tmp_path: Path) -> None:
    material, target = two_products(tmp_path), tmp_path / "half.onnx"
    work = fp16.convert(material, target, [])
    exact, half = run(material.graph, material), run(target, material)
    assert half.dtype == np.float32
    assert half == pytest.approx(exact, rel=1e-2, abs=0.2)
    assert np.abs(half - exact).max() > 0
    assert target.stat().st_size < 0.7 * material.graph.stat().st_size
    assert work["kept_float"] == 0


def test_largest_values_are_those_of_the_graph_itself(tmp_path: Path) -> None:
    material = squared(tmp_path, 100.0)
    found = largest_values(material, 4)
    table = onnx.numpy_helper.to_array(material.load().graph.initializer[0])
    used = np.unique(np.concatenate([feeds["input_ids"].ravel() for feeds in material.feeds]))
    assert found["scaled"] == pytest.approx(100 * np.abs(table[used]).max(), rel=1e-5)
    assert found["square"] == pytest.approx(1e4 * np.square(table[used]).max(), rel=1e-5)


def test_what_overflows_float16_stays_in_float32_and_never_passes_through_it(
    tmp_path: Path,
) -> None:
    """The square is beyond float16 where its operands and the output are not."""
    material, target = squared(tmp_path, 1000.0), tmp_path / "half.onnx"
    work = fp16.convert(material, target, [])
    assert work["kept_float"] == 2
    assert run(target, material) == pytest.approx(run(material.graph, material), rel=0.01, abs=0.1)
    inferred = onnx.shape_inference.infer_shapes(onnx.load(target)).graph
    kinds = {value.name: value.type.tensor_type.elem_type for value in inferred.value_info}
    (square,) = [node for node in inferred.node if node.name == "square"]
    (root,) = [node for node in inferred.node if node.name == "root"]
    (product,) = [node for node in inferred.node if node.name == "product"]
    assert root.input[0] == square.output[0]
    assert kinds[square.output[0]] == TensorProto.FLOAT
    assert kinds[product.input[0]] == TensorProto.FLOAT16


def test_without_overflow_the_same_graph_is_all_float16(tmp_path: Path) -> None:
    work = fp16.convert(squared(tmp_path, 10.0), tmp_path / "half.onnx", [])
    assert work["kept_float"] == 0
    assert 0 < float(work["largest_in_float16"]) < fp16.LARGEST / fp16.HEADROOM


def test_mask_of_whole_numbers_reaches_a_float32_region_as_numbers(tmp_path: Path) -> None:
    material, target = masked(tmp_path, 30_000.0), tmp_path / "half.onnx"
    work = fp16.convert(material, target, [])
    assert float(work["kept_float"]) > 0
    assert run(target, material) == pytest.approx(run(material.graph, material), rel=0.01, abs=0.1)
