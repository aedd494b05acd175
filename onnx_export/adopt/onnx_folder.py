"""A folder that already holds ONNX: its graphs, and what a graph says of itself.

The layouts are the hub's (`onnx/model.onnx` and its precisions), those of optimum and fastembed
(`model.onnx`, `model_optimized.onnx`, `model_quantized.onnx` beside the tokenizer), and any other
with one graph, such as flashrank's.
"""

from dataclasses import dataclass
from pathlib import Path

import onnx

from bicross.bundle.record import Task
from bicross.errors import MissingFile, NotARegularFile, UnsafeGraph, UsageError
from bicross.runtime.graph_safety import inside_folder, require_safe_file
from onnx_export.source.own_files import require_own_file

TOKEN_OUTPUTS = ("last_hidden_state", "token_embeddings")
POOLED_OUTPUTS = ("sentence_embedding", "sentence_embeddings")
CONTEXTUAL_OUTPUTS = ("contextual", "token_vectors")
SPARSE_OUTPUTS = ("sparse_embedding", "sparse_embeddings")
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
INT4_OPERATORS = frozenset({"MatMulBnb4", "MatMulNBits"})
FLOAT_TYPES = {onnx.TensorProto.FLOAT16: "fp16", onnx.TensorProto.BFLOAT16: "bf16"}


@dataclass(frozen=True)
class OnnxGraph:
    """`model` has its structure and small tensors; the others stay in `external` files, by the
    locations that the graph names.
    """

    file: Path
    model: onnx.ModelProto
    external: dict[str, Path]

    @property
    def files(self) -> list[Path]:
        return [self.file, *self.external.values()]

    @property
    def opset(self) -> int:
        return next(
            (row.version for row in self.model.opset_import if row.domain in {"", "ai.onnx"}), 0
        )

    @property
    def precision(self) -> str:
        """What the graph computes in, by its operators and tensors: names of files differ."""
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
        if self.output(SPARSE_OUTPUTS):
            return "sparse_embedding"
        if self.output(CONTEXTUAL_OUTPUTS):
            return "late_interaction"
        scores = self.output(SCORE_OUTPUTS)
        # A masked language model's logits have the tokens between them.
        if scores is not None and len(scores.type.tensor_type.shape.dim) < 3:
            return "rerank"
        return "text_embedding" if self.output(TOKEN_OUTPUTS + POOLED_OUTPUTS) else None

    def output(self, names: tuple[str, ...]) -> onnx.ValueInfoProto | None:
        """The first output that bears one of `names`."""
        found = {value.name: value for value in self.model.graph.output}
        return next((found[name] for name in names if name in found), None)

    def only_output(self, rank: int) -> onnx.ValueInfoProto | None:
        """The graph's single output, whatever its name, where it has `rank` dimensions."""
        outputs = list(self.model.graph.output)
        fits = len(outputs) == 1 and len(outputs[0].type.tensor_type.shape.dim) == rank
        return outputs[0] if fits else None


def width(value: onnx.ValueInfoProto) -> int | None:
    """The last size of an output, None where the graph leaves it open."""
    sizes = value.type.tensor_type.shape.dim
    return sizes[-1].dim_value or None if sizes else None


def open_graph(folder: Path, wanted: str | None = None) -> OnnxGraph:
    """The folder's plain model.onnx, else its only graph, else the one that is `wanted`.

    Raises `UsageError` where that leaves a choice, `MissingFile` where there is none, and
    `UnsafeGraph` or `NotARegularFile` for a graph that reaches outside the folder or claims more
    than it holds.
    """
    file = _choose(folder, wanted)
    _require_alone(folder, file)
    found: dict[str, Path] = {}

    def size_of(location: str) -> int | None:
        inside = inside_folder(".", location)
        external = file.parent / inside if inside else None
        if external is None or not external.exists():
            return None
        _require_alone(folder, external)
        found[location] = external
        return external.stat().st_size

    require_safe_file(file, f"{folder.name}: {file.name}", size_of)
    try:
        model = onnx.load(file, load_external_data=False)
    except Exception as error:  # noqa: BLE001  protobuf's error has no public class
        raise UnsafeGraph(f"{file} is not an ONNX file: {error}") from None
    return OnnxGraph(file, model, found)


def _require_alone(folder: Path, file: Path) -> None:
    require_own_file(folder, file)
    if file.stat().st_nlink > 1:
        name = file.relative_to(folder).as_posix()
        raise NotARegularFile(
            f"{folder.name}: {name} has another name elsewhere (a hard link); copy the folder "
            "(cp -r FOLDER COPY) and adopt the copy"
        )


def _choose(folder: Path, wanted: str | None) -> Path:
    if wanted is not None:
        file = folder / wanted
        if file.suffix != ".onnx" or not file.is_file() or inside_folder(".", wanted) is None:
            raise UsageError(f"--graph {wanted}: {folder} has no such .onnx file")
        return file
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
