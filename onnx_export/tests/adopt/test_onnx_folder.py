from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from bicross.errors import MissingFile, UnsafeGraph, UsageError
from onnx_export.adopt.onnx_folder import open_graph, width


def graph(
    operator: str = "Identity",
    inputs: dict[str, int] | None = None,
    output: str = "logits",
    weights: type = np.float32,
) -> onnx.ModelProto:
    values = [
        helper.make_tensor_value_info(name, kind, ["batch", "length"])
        for name, kind in (inputs or {"input_ids": TensorProto.INT64}).items()
    ]
    return helper.make_model(
        helper.make_graph(
            [helper.make_node(operator, ["input_ids"], [output])],
            "g",
            values,
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", 3])],
            [numpy_helper.from_array(np.ones((2, 2), weights), "w")],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
    )


def write(folder: Path, *names: str, model: onnx.ModelProto | None = None) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        onnx.save_model(model or graph(), folder / name)
    return folder


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (("onnx/model.onnx", "onnx/model_int8.onnx", "model.onnx"), "onnx/model.onnx"),
        (("model.onnx", "model_int8.onnx"), "model.onnx"),
        (("onnx/model_quantized.onnx",), "onnx/model_quantized.onnx"),
    ],
)
def test_plain_or_only_graph_is_taken(tmp_path: Path, names: tuple[str, ...], chosen: str) -> None:
    assert open_graph(write(tmp_path, *names)).file == tmp_path / chosen


def test_choice_between_graphs_is_the_callers(tmp_path: Path) -> None:
    write(tmp_path, "onnx/model_int8.onnx", "onnx/model_fp16.onnx")
    with pytest.raises(UsageError, match=r"model_fp16\.onnx, onnx/model_int8\.onnx.*--graph"):
        open_graph(tmp_path)
    assert open_graph(tmp_path, "onnx/model_int8.onnx").file.name == "model_int8.onnx"
    with pytest.raises(UsageError, match=r"--graph nothing\.onnx"):
        open_graph(tmp_path, "nothing.onnx")


def test_folder_without_onnx_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="holds no ONNX"):
        open_graph(tmp_path)


def test_file_that_is_no_onnx_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not a graph at all")
    with pytest.raises(UnsafeGraph, match=r"model\.onnx is not an ONNX file"):
        open_graph(tmp_path)


@pytest.mark.parametrize(
    ("operator", "weights", "precision"),
    [
        ("Identity", np.float32, "fp32"),
        ("Identity", np.float16, "fp16"),
        ("MatMulInteger", np.int8, "int8"),
        ("DynamicQuantizeLinear", np.float32, "int8"),
        ("MatMulNBits", np.uint8, "int4"),
    ],
)
def test_precision_is_what_the_graph_computes_in(
    tmp_path: Path, operator: str, weights: type, precision: str
) -> None:
    write(tmp_path, "model.onnx", model=graph(operator, weights=weights))
    assert open_graph(tmp_path).precision == precision


@pytest.mark.parametrize(
    ("output", "task"),
    [("logits", "rerank"), ("last_hidden_state", "text_embedding"), ("output_0", None)],
)
def test_task_is_told_by_the_outputs_name(tmp_path: Path, output: str, task: str | None) -> None:
    write(tmp_path, "model.onnx", model=graph(output=output))
    opened = open_graph(tmp_path)
    assert opened.task == task
    assert width(opened.model.graph.output[0]) == 3
    assert opened.opset == 17


def test_external_data_is_found_and_may_not_lie_outside(tmp_path: Path) -> None:
    model = graph()
    onnx.save_model(
        model,
        tmp_path / "model.onnx",
        save_as_external_data=True,
        location="weights.data",
        size_threshold=0,
    )
    assert open_graph(tmp_path).external == {"weights.data": tmp_path / "weights.data"}
    content = (tmp_path / "model.onnx").read_bytes()
    (tmp_path / "model.onnx").write_bytes(content.replace(b"weights.data", b"../eights.da"))
    with pytest.raises(UnsafeGraph, match=r"\.\./eights\.da"):
        open_graph(tmp_path)
