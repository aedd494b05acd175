"""What an adopted graph's outputs mean: from the folder's files, else from the caller."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bicross.bundle.heads import Embedding, Rerank
from bicross.errors import UnsupportedArchitecture, UsageError
from onnx_export.adopt.onnx_folder import (
    POOLED_OUTPUTS,
    SCORE_OUTPUTS,
    TOKEN_OUTPUTS,
    OnnxGraph,
    width,
)
from onnx_export.adopt.pooled_graph import POOLINGS
from onnx_export.source.model_files import read_modules, read_pooling, read_similarity
from onnx_export.source.prompts import read_prompts
from onnx_export.source.rerank_head import read_rerank_head

Value = TypeVar("Value", str, bool)
INSIDE = "inside the graph"


@dataclass(frozen=True)
class HeadOptions:
    """What the caller says where the folder's files are silent."""

    label: str | None = None
    pooling: str | None = None
    normalize: bool | None = None
    query_prompt: str | None = None
    passage_prompt: str | None = None


def choose_rerank_head(
    folder: Path, graph: OnnxGraph, config: dict[str, Any], options: HeadOptions
) -> tuple[Rerank, str]:
    """The head, and the name of the graph's output."""
    logits = graph.output(SCORE_OUTPUTS)
    if logits is None:
        raise UnsupportedArchitecture(
            f"{graph.file.name} has none of the outputs {', '.join(SCORE_OUTPUTS)}"
        )
    head = read_rerank_head(folder, config, read_modules(folder), options.label)
    if width(logits) not in {None, head.labels}:
        raise UnsupportedArchitecture(
            f"config.json names {head.labels} labels but the graph gives {width(logits)}"
        )
    return head, logits.name


def choose_embedding_head(
    folder: Path, graph: OnnxGraph, config: dict[str, Any], options: HeadOptions
) -> Embedding:
    """Raises `UsageError` for a pooling or normalisation that nobody names."""
    modules = read_modules(folder)
    kinds = [module.kind for module in modules]
    pooled = graph.output(POOLED_OUTPUTS)
    tokens = graph.output(TOKEN_OUTPUTS)
    if pooled is None and set(kinds) - {"Transformer", "Pooling", "Normalize"}:
        raise UnsupportedArchitecture(
            f"{folder}: the graph ends before {', '.join(kinds[1:])}; only Pooling and Normalize "
            "are added to a graph; export the model itself with onnx-export model"
        )
    own_pooling = next((read_pooling(folder, m)[0] for m in modules if m.kind == "Pooling"), None)
    own_normalize = (kinds[-1] == "Normalize") if kinds else None
    pooling = _decide("--pooling", own_pooling, options.pooling or (INSIDE if pooled else None))
    normalize = _decide("--normalize", own_normalize, options.normalize)
    if pooled is None and pooling not in POOLINGS:
        raise UnsupportedArchitecture(
            f"pooling {pooling} is not added to a graph; added are {', '.join(POOLINGS)}"
        )
    output = pooled or tokens
    dimensions = (width(output) if output else None) or config.get("hidden_size")
    if not isinstance(dimensions, int):
        raise UsageError(f"{graph.file.name} leaves its dimensions open, and config.json is silent")
    return Embedding(
        dimensions=dimensions,
        similarity=read_similarity(folder, normalize=normalize),
        pooling=pooling,
        normalize=normalize,
        prompts=read_prompts(folder, options.query_prompt, options.passage_prompt).texts,
    )


def _decide(flag: str, own: Value | None, given: Value | None) -> Value:
    """The folder's own answer, else the caller's; two different ones are refused."""
    if own is not None and given not in {None, own, INSIDE}:
        raise UsageError(f"{flag} {given}: the folder's own files say {own}")
    if own is not None:
        return own
    if given is None:
        values = " or ".join(POOLINGS)
        choice = f"{flag} {values}" if flag == "--pooling" else f"{flag} or --no-{flag[2:]}"
        raise UsageError(f"there is no modules.json that says how vectors are made; give {choice}")
    return given
