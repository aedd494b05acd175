"""Token weights and token vectors out of a graph that has them, or all but their last step."""

from pathlib import Path

from bicross.bundle.heads import LateInteraction, Sparse
from bicross.errors import UnsupportedArchitecture, UsageError
from onnx_export.adopt.head import HeadOptions, decide
from onnx_export.adopt.onnx_folder import (
    CONTEXTUAL_OUTPUTS,
    SCORE_OUTPUTS,
    SPARSE_OUTPUTS,
    OnnxGraph,
    width,
)
from onnx_export.adopt.pooled_graph import require_input, token_output
from onnx_export.adopt.steps import PREFIX, Steps
from onnx_export.adopt.tail import normalize
from onnx_export.source.model_files import read_json, read_modules
from onnx_export.source.prompts import read_prompts

SPARSE_OUTPUT = "sparse_embedding"
CONTEXTUAL = "contextual"
LIBRARY_CONFIG = "config_sentence_transformers.json"
# What changes a text's rows or leaves vectors out, and stands in no graph.
EXPANSION_KEYS = ("query_length", "query_expansion", "do_query_expansion", "skiplist_words")


def adopt_sparse(folder: Path, graph: OnnxGraph, options: HeadOptions) -> tuple[Sparse, str]:
    """The head, and the name of the output [batch, vocabulary].

    Logits [batch, length, vocabulary] are pooled as SPLADE does (Formal et al. 2021).
    """
    saved = read_json(folder, LIBRARY_CONFIG)
    prompts = read_prompts(folder, options.query_prompt, options.passage_prompt).texts
    found = graph.output(SPARSE_OUTPUTS) or graph.only_output(2)
    if found is not None:
        output, size = found.name, width(found)
    else:
        output, size = _pool_logits(folder, graph)
    if size is None:
        raise UsageError(f"{graph.file.name} leaves its vocabulary's size open; export it with one")
    return Sparse(dimensions=size, prompts=prompts, max_active=saved.get("max_active_dims")), output


def _pool_logits(folder: Path, graph: OnnxGraph) -> tuple[str, int | None]:
    logits = graph.output(SCORE_OUTPUTS) or graph.only_output(3)
    if logits is None or len(logits.type.tensor_type.shape.dim) != 3:
        raise UnsupportedArchitecture(
            f"{graph.file.name} has neither weights {', '.join(SPARSE_OUTPUTS)} [batch, vocabulary]"
            f" nor logits [batch, length, vocabulary]"
        )
    module = next((row for row in read_modules(folder) if row.kind == "SpladePooling"), None)
    config = read_json(folder, f"{module.path}/config.json") if module else {}
    strategy = config.get("pooling_strategy", "max")
    activation = config.get("activation_function", "relu")
    if strategy != "max" or activation not in {"relu", "log1p_relu"}:
        raise UnsupportedArchitecture(
            f"{folder.name}: SpladePooling by {strategy} of {activation}; added to a graph is max "
            "of relu or log1p_relu; export the model itself with onnx-export model"
        )
    require_input(graph.model.graph, "attention_mask")
    steps = Steps(graph.model.graph, graph.opset)
    column = steps.add("Reshape", steps.floats("attention_mask"), steps.shape(0, -1, 1))
    masked = steps.add("Mul", steps.floats(logits.name), column)
    # The logarithm never decreases, so that the largest logit has the largest weight.
    weights = steps.add("Relu", steps.largest(masked, 1))
    for _ in range(2 if activation == "log1p_relu" else 1):
        weights = steps.add("Log", steps.add("Add", weights, steps.number(1.0)))
    steps.finish(weights, SPARSE_OUTPUT, ("batch", width(logits)))
    return SPARSE_OUTPUT, width(logits)


def adopt_late_interaction(
    folder: Path, graph: OnnxGraph, options: HeadOptions
) -> tuple[LateInteraction, str]:
    """The head, and the name of the output [batch, length, dimensions].

    Raises `UnsupportedArchitecture` for a folder whose rows are not plain texts: how they are made
    is only known to the library that trained the model.
    """
    saved = read_json(folder, LIBRARY_CONFIG)
    if named := [key for key in EXPANSION_KEYS if saved.get(key)]:
        raise UnsupportedArchitecture(
            f"{folder.name}: {LIBRARY_CONFIG} names {named[0]}, which no graph holds; export the "
            "model itself with onnx-export model"
        )
    prompts = read_prompts(folder, options.query_prompt, options.passage_prompt).texts
    normalized = decide("--normalize", None, options.normalize)
    tokens = graph.output(CONTEXTUAL_OUTPUTS) or token_output(graph)
    size = width(tokens) if tokens is not None else None
    if tokens is None or size is None:
        raise UnsupportedArchitecture(
            f"{graph.file.name} has no output [batch, length, dimensions] with fixed dimensions"
        )
    output = tokens.name
    if normalized:
        steps = Steps(graph.model.graph, graph.opset)
        shape = steps.add("Shape", tokens.name)
        flat = steps.add("Reshape", steps.floats(tokens.name), steps.shape(-1, 1, size))
        vectors = steps.add("Reshape", normalize(steps, flat), shape)
        output = CONTEXTUAL if tokens.name != CONTEXTUAL else PREFIX + CONTEXTUAL
        steps.finish(vectors, output, ("batch", "length", size))
    return LateInteraction(dimensions=size, normalize=normalized, prompts=prompts), output
