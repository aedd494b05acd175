"""What a sparse encoder's files say of its token weights."""

from pathlib import Path
from typing import Any

from bicross.bundle.heads import Sparse
from bicross.bundle.record import InputType
from bicross.errors import UnsupportedArchitecture
from onnx_export.source.model_files import first_architecture, read_json
from onnx_export.source.prompts import PromptChoices
from onnx_export.source.routes import Route

MASKED_LM = "ForMaskedLM"
STATIC_WEIGHTS = "SparseStaticEmbedding"
# What a text may go through: a masked language model and its pooling, or weights by token alone.
KNOWN_ROUTES = (
    ("Transformer", "SpladePooling"),
    ("MLMTransformer", "SpladePooling"),
    (STATIC_WEIGHTS,),
)


def read_sparse_head(
    path: Path, config: dict[str, Any], routes: dict[InputType, Route], prompts: PromptChoices
) -> Sparse:
    """With 1 as its dimensions, which only the loaded model knows.

    Raises `UnsupportedArchitecture`, naming the module, for a part that is not exported.
    """
    for input_type, route in routes.items():
        _require_known(path, config, input_type, route)
    saved = read_json(path, "config_sentence_transformers.json")
    similarity = saved.get("similarity_fn_name")
    if saved.get("model_type") == "SparseEncoder" and similarity not in {None, "dot"}:
        raise UnsupportedArchitecture(
            f"{path.name}: similarity {similarity!r}; an index compares token weights by their dot "
            "product alone, so the ranking would be another: set similarity_fn_name to dot in "
            "config_sentence_transformers.json if that is what you want"
        )
    return Sparse(dimensions=1, prompts=prompts.texts, max_active=saved.get("max_active_dims"))


def _require_known(path: Path, config: dict[str, Any], input_type: InputType, route: Route) -> None:
    if not route.modules:
        architecture = first_architecture(config)
        if not architecture.endswith(MASKED_LM):
            raise UnsupportedArchitecture(
                f"{path.name}: architecture {architecture}; a sparse encoder is a *{MASKED_LM}, or "
                "a folder with modules.json"
            )
        return
    if "SparseAutoEncoder" in route.kinds:
        raise UnsupportedArchitecture(
            f"{path.name}: module SparseAutoEncoder gives dimensions that are no tokens, which an "
            "index of token weights cannot name; export the dense model under it instead"
        )
    foreign = any(module.is_foreign for module in route.modules[1:])
    if route.kinds not in KNOWN_ROUTES or foreign:
        known = " or ".join(" and ".join(kinds) for kinds in KNOWN_ROUTES)
        raise UnsupportedArchitecture(
            f"{path.name}: a {input_type} goes through {', '.join(route.kinds)}; exported are "
            f"{known} of sentence-transformers"
        )
