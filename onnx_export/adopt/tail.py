"""The modules after a sentence-transformers folder's pooling: read with numpy, written as nodes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file

from bicross.errors import PickleRefused, UnsupportedArchitecture
from onnx_export.adopt.steps import Steps
from onnx_export.source.model_files import Module, read_json
from onnx_export.source.own_files import require_own_file

WEIGHTS = "model.safetensors"
PICKLE = "pytorch_model.bin"
# torch.nn.functional.normalize's and torch.nn.LayerNorm's guards.
MIN_NORM, LAYER_NORM_EPSILON = 1e-12, 1e-5
HALF, SQRT_HALF = 0.5, 0.5**0.5
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Dense:
    """`weight` [dimensions out, dimensions in]; `bias` is empty where there is none."""

    weight: FloatArray
    bias: FloatArray
    activation: str

    @property
    def dimensions(self) -> int:
        return int(self.weight.shape[0])


@dataclass(frozen=True)
class LayerNorm:
    weight: FloatArray
    bias: FloatArray


@dataclass(frozen=True)
class Normalize:
    pass


TailModule = Dense | LayerNorm | Normalize


def read_tail(folder: Path, modules: Sequence[Module]) -> list[TailModule]:
    """Of the modules after the pooling; Dropout does nothing when a model is used.

    Raises `UnsupportedArchitecture`, naming the module, for any other kind.
    """
    return [_read(folder, module) for module in modules if module.kind != "Dropout"]


def _read(folder: Path, module: Module) -> TailModule:
    if module.kind == "Normalize":
        return Normalize()
    if module.kind == "LayerNorm":
        tensors = _weights(folder, module)
        return LayerNorm(_take(tensors, "norm.weight", module), _take(tensors, "norm.bias", module))
    if module.kind == "Dense":
        return _read_dense(folder, module)
    raise UnsupportedArchitecture(
        f"{folder.name}: the graph ends before {module.kind}; added to a graph are Pooling, Dense, "
        "LayerNorm and Normalize; export the model itself with onnx-export model"
    )


def _read_dense(folder: Path, module: Module) -> Dense:
    config = read_json(folder, f"{module.path}/config.json")
    name = str(config.get("activation_function", "torch.nn.modules.activation.Tanh"))
    activation = name.rpartition(".")[2]
    if activation not in ACTIVATIONS or not name.startswith("torch.nn."):
        raise UnsupportedArchitecture(
            f"{folder.name}: {module.path} has the activation {name}; "
            f"added are torch.nn's {', '.join(sorted(ACTIVATIONS))}"
        )
    if config.get("use_residual") or _reads_other_features(config):
        raise UnsupportedArchitecture(
            f"{folder.name}: {module.path} does not map the sentence embedding alone (its "
            "config.json says so); export the model itself with onnx-export model"
        )
    tensors = _weights(folder, module)
    weight = _take(tensors, "linear.weight", module)
    bias = tensors.get("linear.bias", np.zeros(0))
    return Dense(weight, np.asarray(bias, np.float32), activation)


def _reads_other_features(config: dict[str, object]) -> bool:
    names = {config.get("module_input_name"), config.get("module_output_name")}
    return bool(names - {None, "sentence_embedding"})


def _weights(folder: Path, module: Module) -> dict[str, npt.NDArray[np.generic]]:
    file = folder / module.path / WEIGHTS
    if not file.is_file():
        if (folder / module.path / PICKLE).exists():
            raise PickleRefused(
                f"{folder.name}: {module.path}/{PICKLE} is a pickle, and there are no safetensors "
                "beside it; save the model anew with save_pretrained, which writes safetensors"
            )
        raise UnsupportedArchitecture(f"{folder.name}: {module.path}/{WEIGHTS} is missing")
    require_own_file(folder, file)
    try:
        found: dict[str, npt.NDArray[np.generic]] = load_file(file)
    except (SafetensorError, TypeError, ValueError) as error:
        raise UnsupportedArchitecture(
            f"{folder.name}: {module.path}/{WEIGHTS} cannot be read: {error}"
        ) from None
    return found


def _take(tensors: dict[str, npt.NDArray[np.generic]], name: str, module: Module) -> FloatArray:
    if name not in tensors:
        raise UnsupportedArchitecture(f"{module.path}/{WEIGHTS} has no tensor {name}")
    return np.asarray(tensors[name], np.float32)


def add_tail(steps: Steps, vector: str, tail: Sequence[TailModule]) -> str:
    for module in tail:
        if isinstance(module, Dense):
            vector = _add_dense(steps, vector, module)
        elif isinstance(module, LayerNorm):
            vector = _add_layer_norm(steps, vector, module)
        else:
            vector = normalize(steps, vector)
    return vector


def normalize(steps: Steps, vector: str) -> str:
    """To length one along the last axis of [batch, 1, dimensions]."""
    column = steps.add("Reshape", vector, steps.shape(0, -1, 1))
    length = steps.add("Sqrt", steps.add("MatMul", vector, column))
    return steps.add("Div", vector, steps.add("Max", length, steps.number(MIN_NORM)))


def _add_dense(steps: Steps, vector: str, dense: Dense) -> str:
    product = steps.add("MatMul", vector, steps.weights(dense.weight.T))
    if dense.bias.size:
        product = steps.add("Add", product, steps.weights(dense.bias))
    return ACTIVATIONS[dense.activation](steps, product)


def _add_layer_norm(steps: Steps, vector: str, norm: LayerNorm) -> str:
    mean_of = steps.weights(np.full((norm.weight.size, 1), 1 / norm.weight.size, np.float32))
    centred = steps.add("Sub", vector, steps.add("MatMul", vector, mean_of))
    variance = steps.add("MatMul", steps.add("Mul", centred, centred), mean_of)
    spread = steps.add("Sqrt", steps.add("Add", variance, steps.number(LAYER_NORM_EPSILON)))
    scaled = steps.add("Mul", steps.add("Div", centred, spread), steps.weights(norm.weight))
    return steps.add("Add", scaled, steps.weights(norm.bias))


def _gelu(steps: Steps, value: str) -> str:
    """Exact, as torch.nn.GELU without an approximation."""
    inner = steps.add("Erf", steps.add("Mul", value, steps.number(SQRT_HALF)))
    weight = steps.add("Mul", steps.add("Add", inner, steps.number(1.0)), steps.number(HALF))
    return steps.add("Mul", value, weight)


ACTIVATIONS: dict[str, Callable[[Steps, str], str]] = {
    "Identity": lambda _, value: value,
    "Tanh": lambda steps, value: steps.add("Tanh", value),
    "ReLU": lambda steps, value: steps.add("Relu", value),
    "Sigmoid": lambda steps, value: steps.add("Sigmoid", value),
    "GELU": _gelu,
}
