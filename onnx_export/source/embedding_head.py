"""What a bi-encoder's files say of its vectors."""

from pathlib import Path
from typing import Any

from bicross.bundle.heads import Embedding
from bicross.bundle.record import InputType
from bicross.errors import UnsupportedArchitecture
from onnx_export.source.model_files import (
    first_architecture,
    read_json,
    read_pooling,
    read_similarity,
)
from onnx_export.source.prompts import PromptChoices
from onnx_export.source.routes import Route

# What a text may enter, and what may follow.
TRANSFORMER, STATIC = "Transformer", "StaticEmbedding"
LATER_MODULES = ("Pooling", "Dense", "LayerNorm", "Dropout", "Normalize")


def read_embedding_head(
    path: Path, config: dict[str, Any], routes: dict[InputType, Route], prompts: PromptChoices
) -> Embedding:
    """With 1 as its dimensions, which only the loaded model knows.

    Raises `UnsupportedArchitecture`, naming the module, for a part that is not exported.
    """
    for route in routes.values():
        _require_known(path, route)
    normalized = {kind: _is_normalized(path, route) for kind, route in routes.items()}
    if len(set(normalized.values())) > 1:
        (bare,) = (kind for kind, found in normalized.items() if not found)
        raise UnsupportedArchitecture(
            f"{path.name}: only one of its routes ends in Normalize, the {bare}'s does not, so "
            "that their products are no cosines; add a Normalize after the Router"
        )
    normalize = normalized["passage"]
    return Embedding(
        dimensions=1,
        similarity=read_similarity(path, normalize=normalize),
        pooling=_pooling(path, config, routes),
        normalize=normalize,
        prompts=prompts.texts,
    )


def pools_prompts(path: Path, routes: dict[InputType, Route]) -> bool:
    """Whether the prompt's tokens are pooled with the text's."""
    return all(
        read_pooling(path, module)[1]
        for route in routes.values()
        for module in route.modules
        if module.kind == "Pooling"
    )


def _pooling(path: Path, config: dict[str, Any], routes: dict[InputType, Route]) -> str:
    """Of passages, and of queries after it where they are pooled otherwise."""
    if not routes["passage"].modules:
        return _default_pooling(config)
    query, passage = (_route_pooling(path, routes[kind]) for kind in ("query", "passage"))
    return passage if query == passage else f"{passage}, queries {query}"


def _default_pooling(config: dict[str, Any]) -> str:
    """What sentence-transformers puts behind a transformer without modules.json."""
    is_decoder = first_architecture(config).endswith("ForCausalLM")
    return "lasttoken" if is_decoder and config.get("is_causal", True) else "mean"


def _route_pooling(path: Path, route: Route) -> str:
    poolings = [module for module in route.modules if module.kind == "Pooling"]
    # A static embedding is its tokens' mean.
    return read_pooling(path, poolings[0])[0] if poolings else "mean"


def _is_normalized(path: Path, route: Route) -> bool:
    last = route.modules[-1] if route.modules else None
    if last is None or last.kind != "Normalize":
        return False
    config = read_json(path, f"{last.path}/config.json")
    return str(config.get("module_input_name", "sentence_embedding")) == "sentence_embedding"


def _require_known(path: Path, route: Route) -> None:
    if not route.modules:
        return
    first, *later = route.modules
    allowed = (TRANSFORMER, STATIC, *LATER_MODULES)
    for module in route.modules:
        if module.kind not in allowed or (module.is_foreign and module.kind != TRANSFORMER):
            raise UnsupportedArchitecture(
                f"{path.name}: module {module.type}; "
                f"exported are {', '.join(allowed)} of sentence-transformers; "
                "save the model with those alone"
            )
    pooled = [module.kind for module in later].count("Pooling")
    if first.kind not in {TRANSFORMER, STATIC} or pooled != (first.kind == TRANSFORMER):
        raise UnsupportedArchitecture(
            f"{path.name}: modules {', '.join(route.kinds)}; exported are a {TRANSFORMER} with one "
            f"Pooling behind it, or a {STATIC} with none"
        )
    if unknown := [module for module in later if module.kind in {TRANSFORMER, STATIC}]:
        raise UnsupportedArchitecture(
            f"{path.name}: {unknown[0].type} behind another {first.kind}; save one model at a time"
        )
