"""What a late-interaction model's files say, before sentence-transformers has read them.

Three layouts hold such a model: sentence-transformers' own, PyLate's, and Stanford's ColBERT with
its settings in artifact.metadata. Only the library knows how each is meant, so lengths, skipped
tokens and query expansion are taken from the model that it loads.
"""

from pathlib import Path
from typing import Any

from bicross.bundle.heads import LateInteraction
from bicross.errors import UnsupportedArchitecture
from onnx_export.source.model_files import Module, first_architecture
from onnx_export.source.prompts import PromptChoices

STANFORD = "HF_ColBERT"
PYLATE = "ColBERT"
RETRIEVER = "ForRetrieval"
KNOWN_MODULES = ("Transformer", "Dense", "Normalize", "MultiVectorMask")
# As their authors' libraries call them.
FOREIGN_DENSE = "pylate.models.Dense.Dense"
TOKEN_POOLINGS = ("HierarchicalTokenPooling", "LambdaTokenPooling")


def read_late_interaction_head(
    path: Path, config: dict[str, Any], modules: list[Module], prompts: PromptChoices
) -> LateInteraction:
    """With 1 as its dimensions, which only the loaded model knows.

    Raises `UnsupportedArchitecture`, naming the module, for a part that is not exported, and for a
    model without a projection: the library would draw a random one.
    """
    architecture = first_architecture(config)
    if architecture.endswith(RETRIEVER):
        raise UnsupportedArchitecture(
            f"{path.name}: architecture {architecture} embeds pictures; exported are models of text"
        )
    if not modules and architecture != STANFORD:
        raise UnsupportedArchitecture(
            f"{path.name}: {architecture} has no projection of its token vectors; a model of late "
            f"interaction is a folder with modules.json, or a {STANFORD}"
        )
    for module in modules:
        _require_known(path, module)
    if modules and "Dense" not in [module.kind for module in modules]:
        raise UnsupportedArchitecture(
            f"{path.name}: modules {', '.join(module.kind for module in modules)} hold no Dense; "
            "without a projection of its own a model is not late interaction's"
        )
    return LateInteraction(dimensions=1, normalize=False, prompts=prompts.texts)


def _require_known(path: Path, module: Module) -> None:
    if module.kind in TOKEN_POOLINGS:
        raise UnsupportedArchitecture(
            f"{path.name}: module {module.kind} merges a text's vectors by clustering, which a "
            "graph cannot do; take it out of modules.json and pool the vectors that you index"
        )
    # Pooling and a sentence's Normalize are dropped by the library when it converts a bi-encoder.
    known = module.kind in (*KNOWN_MODULES, "Pooling")
    foreign = module.is_foreign and module.type != FOREIGN_DENSE and module.kind != "Transformer"
    if not known or foreign:
        raise UnsupportedArchitecture(
            f"{path.name}: module {module.type}; exported are {', '.join(KNOWN_MODULES)} of "
            "sentence-transformers"
        )
