"""What flows inside the float32 graph on the sample: ranges of tensors, and tensors themselves."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import TensorProto, helper

from onnx_export.precision.material import Material

FloatArray = npt.NDArray[np.float32]


def float_tensors(model: onnx.ModelProto) -> list[str]:
    """Every float32 tensor that a node gives."""
    inferred = onnx.shape_inference.infer_shapes(model).graph
    typed = {
        value.name: value.type.tensor_type.elem_type
        for value in (*inferred.value_info, *inferred.output)
    }
    given = [name for node in model.graph.node for name in node.output]
    return [name for name in given if typed.get(name) == TensorProto.FLOAT]


def largest_values(material: Material, batches: int) -> dict[str, float]:
    """The largest absolute value of each float tensor on the first `batches`.

    The maxima are taken inside the graph, so that no more memory is needed than for a run.
    """
    model = material.outline()
    names = float_tensors(model)
    for number, name in enumerate(names):
        top = f"largest_{number}"
        model.graph.node.extend(
            [
                helper.make_node("Abs", [name], [f"{top}_abs"]),
                helper.make_node("ReduceMax", [f"{top}_abs"], [top], keepdims=0),
            ]
        )
        model.graph.output.append(helper.make_tensor_value_info(top, TensorProto.FLOAT, []))
    tops = [f"largest_{number}" for number in range(len(names))]
    with _session(model, material.graph) as session:
        found = np.array(
            [[float(top) for top in session.run(tops, feeds)] for feeds in material.feeds[:batches]]
        )
    return dict(zip(names, found.max(axis=0).tolist(), strict=True))


def recorded(
    material: Material, names: Sequence[str], batches: int
) -> Iterator[dict[str, FloatArray]]:
    """The tensors named, on each of the first `batches`."""
    model = material.outline()
    present = {value.name for value in model.graph.output}
    for name in dict.fromkeys(names):
        if name not in present:
            model.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    with _session(model, material.graph) as session:
        for feeds in material.feeds[:batches]:
            yield dict(zip(names, session.run(list(names), feeds), strict=True))


@contextmanager
def _session(model: onnx.ModelProto, beside: Path) -> Iterator[onnxruntime.InferenceSession]:
    """From a file beside the graph, whose external weights are found from there."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    with NamedTemporaryFile(dir=beside.parent, suffix=".onnx") as file:
        file.write(model.SerializeToString())
        file.flush()
        yield onnxruntime.InferenceSession(
            file.name, sess_options=options, providers=["CPUExecutionProvider"]
        )
