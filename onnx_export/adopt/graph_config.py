"""config.json completed from the shapes of a BERT graph's tensors."""

import re
from collections.abc import Iterator
from typing import Any

import onnx
from onnx import numpy_helper

from bicross.bundle.record import Task
from bicross.errors import MissingFile
from onnx_export.adopt.onnx_folder import SCORE_OUTPUTS, OnnxGraph, width

LAYER = re.compile(r"encoder\.layer\.(\d+)\.")
EMBEDDINGS = {
    "word_embeddings": "vocab_size",
    "position_embeddings": "max_position_embeddings",
    "token_type_embeddings": "type_vocab_size",
}
SUFFIXES = (".weight", ".weight_quantized")


def config_from_graph(graph: OnnxGraph, task: Task) -> dict[str, Any]:
    """What the names and shapes of the tensors tell; a rerank head is taken to give plain logits.

    Raises `MissingFile` where the tensors do not bear BERT's names.
    """
    tensors = {tensor.name: tuple(tensor.dims) for tensor in graph.model.graph.initializer}
    sizes = _embedding_sizes(tensors)
    layers = [int(found[1]) for name in tensors if (found := LAYER.search(name))]
    inner = _size_of(tensors, "intermediate.dense.bias")
    if set(EMBEDDINGS.values()) - sizes.keys() or not layers or inner is None:
        raise MissingFile(
            f"there is no config.json beside {graph.file.name}, and its tensors do not bear BERT's "
            "names, so that it cannot be completed; put the model's config.json into the folder"
        )
    config: dict[str, Any] = {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "hidden_act": "gelu",
        "intermediate_size": inner,
        "num_attention_heads": _heads(graph.model.graph, sizes["hidden_size"]),
        "num_hidden_layers": 1 + max(layers),
        **sizes,
    }
    if task == "rerank":
        logits = graph.output(SCORE_OUTPUTS)
        labels = (width(logits) if logits else None) or 1
        config["architectures"] = ["BertForSequenceClassification"]
        config["id2label"] = {str(index): f"LABEL_{index}" for index in range(labels)}
        config["sentence_transformers"] = {"activation_fn": "torch.nn.modules.linear.Identity"}
    return {key: value for key, value in config.items() if value is not None}


def _embedding_sizes(tensors: dict[str, tuple[int, ...]]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for name, shape in tensors.items():
        for part, key in EMBEDDINGS.items():
            if len(shape) == 2 and name.endswith(tuple(f"embeddings.{part}{s}" for s in SUFFIXES)):
                sizes |= {key: int(shape[0]), "hidden_size": int(shape[1])}
    return sizes


def _size_of(tensors: dict[str, tuple[int, ...]], ending: str) -> int | None:
    return next((int(shape[-1]) for name, shape in tensors.items() if name.endswith(ending)), None)


def _heads(graph: onnx.GraphProto, hidden: int) -> int | None:
    """From the four sizes [.., .., heads, size of a head] to which attention reshapes.

    Exporters write the heads, or -1 for what the size of a head leaves.
    """
    for sizes in _shapes(graph):
        heads, size = sizes[-2:]
        splits = size is not None and 1 < size < hidden and hidden % size == 0
        if len(sizes) == 4 and size and splits and heads in {-1, hidden // size}:
            return hidden // size
    return None


def _shapes(graph: onnx.GraphProto) -> Iterator[list[int | None]]:
    """The shapes given to Reshape, whole or put together by Concat; None for what is computed."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            constants.update((node.output[0], a.t) for a in node.attribute if a.name == "value")
    for node in graph.node:
        parts = {"Reshape": node.input[1:2], "Concat": node.input}.get(node.op_type, ())
        sizes: list[int | None] = []
        for name in parts:
            tensor = constants.get(name)
            known = (
                tensor is not None
                and tensor.data_type == onnx.TensorProto.INT64
                and tensor.data_location != onnx.TensorProto.EXTERNAL
            )
            sizes += numpy_helper.to_array(tensor).ravel().tolist() if tensor and known else [None]
        if len(sizes) > 1:
            yield sizes
