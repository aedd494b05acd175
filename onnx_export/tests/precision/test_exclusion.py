from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onnx_export.precision import dynamic_int8
from onnx_export.precision.exclusion import Product, by_harm, products, relative_error, share_of
from onnx_export.precision.material import Material
from onnx_export.precision.trials import Method, trials
from onnx_export.tests.precision.graphs import two_products


def test_products_by_constant_weights_are_found_with_their_modules_path(tmp_path: Path) -> None:
    found = products(two_products(tmp_path).load())
    assert [product.node for product in found] == ["calm", "wild"]
    assert [product.label for product in found] == ["calm", "layer.dense"]


def test_product_whose_activations_have_an_outlier_is_the_most_harmful(tmp_path: Path) -> None:
    worst, _ = by_harm(two_products(tmp_path, outlier=500), dynamic_int8.approximate)
    assert worst.node == "wild"


def test_products_that_lose_nothing_keep_the_graphs_order(tmp_path: Path) -> None:
    exact = by_harm(two_products(tmp_path), lambda rows, weight: rows @ weight)
    assert [product.node for product in exact] == ["calm", "wild"]


def test_error_is_relative_to_the_product() -> None:
    rows, weight = np.eye(4, dtype=np.float32), np.full((4, 2), 2, np.float32)
    assert relative_error(rows, weight, lambda r, w: 1.1 * (r @ w)) == pytest.approx(0.01)
    assert relative_error(5 * rows, weight, lambda r, w: 1.1 * (r @ w)) == pytest.approx(0.01)


@given(st.integers(0, 60), st.floats(0, 0.5))
def test_share_takes_the_first_ones(count: int, share: float) -> None:
    ordered = [Product(str(number), "x", "w", "") for number in range(count)]
    assert list(share_of(ordered, share)) == ordered[: round(share * count)]


def test_trials_leave_ever_more_in_float_and_none_twice(tmp_path: Path) -> None:
    material = two_products(tmp_path, outlier=500)
    method = Method(dynamic_int8.convert, dynamic_int8.approximate)
    kept = [[product.node for product in trial["g"]] for trial in trials(method, {"g": material})]
    assert kept == [[], ["wild"]]


def test_method_without_approximation_is_tried_once(tmp_path: Path) -> None:
    material = two_products(tmp_path)
    assert list(trials(Method(dynamic_int8.convert), {"g": material})) == [{"g": ()}]


def test_product_left_in_float_is_computed_exactly(tmp_path: Path) -> None:
    material = two_products(tmp_path, outlier=500)
    target = tmp_path / "model_int8.onnx"
    dynamic_int8.convert(material, target, ["wild"])
    operators = [node.op_type for node in onnx.load(target).graph.node]
    assert operators.count("MatMul") == 1
    assert operators.count("MatMulInteger") == 1


def test_material_without_products_has_nothing_to_order(tmp_path: Path) -> None:
    material = two_products(tmp_path)
    model = material.load()
    for node in model.graph.node:
        if node.op_type == "MatMul":
            node.op_type = "Add"
            node.input[1] = "widths"
    file = tmp_path / "without.onnx"
    onnx.save_model(model, file)
    assert by_harm(Material(file, material.feeds), dynamic_int8.approximate) == []
