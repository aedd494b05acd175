"""A folder that already holds ONNX: its graph, and what the graph says of itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx

from bicross.bundle.layout import safe_path
from bicross.bundle.record import Task
from bicross.errors import MissingFile, UnsafeGraph, UnsupportedArchitecture, UsageError

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
TOKEN_OUTPUTS = ("last_hidden_state", "token_embeddings")
POOLED_OUTPUTS = ("sentence_embedding", "sentence_embeddings")
SCORE_OUTPUTS = ("logits", "scores")
INT8_OPERATORS = frozenset(
    {
        "DequantizeLinear",
        "DynamicQuantizeLinear",
        "DynamicQuantizeMatMul",
        "MatMulInteger",
        "QAttention",
        "QLinearMatMul",
    }
)
INT4_OPERATORS = frozenset({"MatMulNBits"})
FLOAT_TYPES = {onnx.TensorProto.FLOAT16: "fp16", onnx.TensorProto.BFLOAT16: "bf16"}


@dataclass(frozen=True)
class OnnxGraph:
    """`model` has its structure and small tensors; external tensors stay in `external` files."""

    file: Path
    model: onnx.ModelProto
    external: tuple[Path, ...]

    @property
    def files(self) -> list[Path]:
        return [self.file, *self.external]

    @property
    def inputs(self) -> tuple[str, ...]:
        """In the order of `INPUTS`. Raises `UnsupportedArchitecture` for any other."""
        found = {value.name: value.type.tensor_type.elem_type for value in self.model.graph.input}
        for name, kind in found.items():
            if name not in INPUTS or kind != onnx.TensorProto.INT64:
                raise UnsupportedArchitecture(
                    f"{self.file.name} has the input {name}; "
                    f"adopted are graphs with int64 {', '.join(INPUTS)}"
                )
        return tuple(name for name in INPUTS if name in found)

    @property
    def opset(self) -> int:
        return next(
            (row.version for row in self.model.opset_import if row.domain in {"", "ai.onnx"}), 0
        )

    @property
    def precision(self) -> str:
        """What the graph computes in, by its operators and tensors."""
        operators = {node.op_type for node in self.model.graph.node}
        if operators & INT4_OPERATORS:
            return "int4"
        if operators & INT8_OPERATORS:
            return "int8"
        kinds = [tensor.data_type for tensor in self.model.graph.initializer if tensor.dims]
        common = max(set(kinds), key=kinds.count, default=onnx.TensorProto.FLOAT)
        return FLOAT_TYPES.get(common, "fp32")

    @property
    def task(self) -> Task | None:
        """None where the outputs' names are nobody's."""
        if self.output(SCORE_OUTPUTS):
            return "rerank"
        return "text_embedding" if self.output(TOKEN_OUTPUTS + POOLED_OUTPUTS) else None

    def output(self, names: tuple[str, ...]) -> onnx.ValueInfoProto | None:
        """The first output that bears one of `names`."""
        found = {value.name: value for value in self.model.graph.output}
        return next((found[name] for name in names if name in found), None)


def width(value: onnx.ValueInfoProto) -> int | None:
    """The last size of an output, None where the graph leaves it open."""
    sizes = value.type.tensor_type.shape.dim
    return sizes[-1].dim_value or None if sizes else None


def open_graph(folder: Path, wanted: str | None = None) -> OnnxGraph:
    """The folder's plain model.onnx, else its only graph, else the one that is `wanted`.

    Raises `UsageError` where that leaves a choice, `MissingFile` where there is none.
    """
    file = _choose(folder, wanted)
    try:
        model = onnx.load(file, load_external_data=False)
    except Exception as error:  # noqa: BLE001  protobuf's error has no public class
        raise UnsafeGraph(f"{file} is not an ONNX file: {error}") from None
    locations = dict.fromkeys(_locations(model))
    return OnnxGraph(file, model, tuple(file.parent / safe_path(name) for name in locations))


def _choose(folder: Path, wanted: str | None) -> Path:
    if wanted is not None:
        if not (folder / wanted).is_file():
            raise UsageError(f"--graph {wanted}: {folder} has no such file")
        return folder / wanted
    for plain in ("onnx/model.onnx", "model.onnx"):
        if (folder / plain).is_file():
            return folder / plain
    found = sorted([*folder.glob("*.onnx"), *folder.glob("onnx/*.onnx")])
    if not found:
        raise MissingFile(f"{folder} holds no ONNX, neither there nor in its folder onnx")
    if len(found) > 1:
        listed = ", ".join(file.relative_to(folder).as_posix() for file in found)
        raise UsageError(f"{folder} holds {listed}; choose one with --graph")
    return found[0]


def _locations(model: onnx.ModelProto) -> Iterator[str]:
    """The files in which external tensors of the main graph lie, relative to the graph's."""
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                yield entry.value
