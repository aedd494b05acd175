"""What an adopted graph's outputs mean: from the folder's files, else from the caller."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bicross.bundle.heads import Embedding, Rerank
from bicross.errors import UnsupportedArchitecture, UsageError
from onnx_export.adopt.onnx_folder import SCORE_OUTPUTS, OnnxGraph, width
from onnx_export.adopt.pooled_graph import pooled_output, vector_width
from onnx_export.adopt.pooling_nodes import POOLINGS
from onnx_export.adopt.tail import Normalize, TailModule, read_tail
from onnx_export.source.model_files import (
    Module,
    read_json,
    read_modules,
    read_pooling,
    read_similarity,
)
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


@dataclass(frozen=True)
class EmbeddingPlan:
    """The head, and the modules that the graph lacks after its token embeddings or its vectors."""

    head: Embedding
    tail: tuple[TailModule, ...]
    with_prompt: bool = True


def choose_rerank_head(
    folder: Path, graph: OnnxGraph, config: dict[str, Any], options: HeadOptions
) -> tuple[Rerank, str]:
    """The head, and the name of the graph's output."""
    logits = graph.output(SCORE_OUTPUTS) or graph.only_output(2)
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


def plan_embedding(
    folder: Path, graph: OnnxGraph, config: dict[str, Any], options: HeadOptions
) -> EmbeddingPlan:
    """Raises `UsageError` for a pooling or normalisation that nobody names."""
    modules = read_modules(folder)
    pooled = pooled_output(graph)
    own_pooling, with_prompt = next(
        (read_pooling(folder, module) for module in modules if module.kind == "Pooling"),
        (None, True),
    )
    own_normalize = (modules[-1].kind == "Normalize") if modules else None
    pooling = decide("--pooling", own_pooling, options.pooling or (INSIDE if pooled else None))
    normalize = decide("--normalize", own_normalize, options.normalize)
    _require_poolings(pooling)
    prompts = read_prompts(folder, options.query_prompt, options.passage_prompt).texts
    tail = _tail(folder, graph, modules, normalize=normalize)
    dimensions = vector_width(graph, pooling, tail) or config.get("hidden_size")
    if not isinstance(dimensions, int):
        raise UsageError(f"{graph.file.name} leaves its dimensions open, and config.json is silent")
    head = Embedding(
        dimensions=dimensions,
        similarity=read_similarity(folder, normalize=normalize),
        pooling=pooling,
        normalize=normalize,
        prompts=prompts,
    )
    # Without a prompt there is nothing to leave out.
    return EmbeddingPlan(head, tail, with_prompt or not (prompts.query or prompts.passage))


def _tail(
    folder: Path, graph: OnnxGraph, modules: Sequence[Module], *, normalize: bool
) -> tuple[TailModule, ...]:
    """The modules that the graph lacks.

    A graph with a pooled output has all of them in it, as optimum writes it, unless a Dense gives
    other dimensions than it has. That its vectors have length one is made sure of: normalising
    does not change those that have.
    """
    pooled = pooled_output(graph)
    last = next((module for module in reversed(modules) if module.kind == "Dense"), None)
    projected = read_json(folder, f"{last.path}/config.json").get("out_features") if last else None
    lacks_all = pooled is None or (projected and width(pooled) not in {None, projected})
    if not modules or not lacks_all:
        return (Normalize(),) if normalize else ()
    kinds = [module.kind for module in modules]
    if kinds[:2] != ["Transformer", "Pooling"]:
        raise UnsupportedArchitecture(
            f"{folder.name}: modules {', '.join(kinds)}; a graph of token embeddings is completed "
            "where a Transformer and a Pooling come first"
        )
    return tuple(read_tail(folder, modules[2:]))


def _require_poolings(pooling: str) -> None:
    unknown = [] if pooling == INSIDE else [p for p in pooling.split("+") if p not in POOLINGS]
    if unknown:
        raise UsageError(f"--pooling {unknown[0]}: known are {', '.join(POOLINGS)}, joined by +")


def decide(flag: str, own: Value | None, given: Value | None) -> Value:
    """The folder's own answer, else the caller's; two different ones are refused."""
    if own is not None and given not in {None, own, INSIDE}:
        raise UsageError(f"{flag} {given}: the folder's own files say {own}")
    if own is not None:
        return own
    if given is None:
        choice = f"{flag} cls or mean" if flag == "--pooling" else f"{flag} or --no-{flag[2:]}"
        raise UsageError(f"there is no modules.json that says how vectors are made; give {choice}")
    return given
