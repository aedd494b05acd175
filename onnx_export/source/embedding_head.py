"""What a bi-encoder's files say of its vectors."""

from pathlib import Path

from bicross.bundle.heads import Embedding
from bicross.errors import UnsupportedArchitecture
from onnx_export.source.model_files import Module, read_pooling, read_similarity
from onnx_export.source.prompts import PromptChoices

EMBEDDING_MODULES = ("Transformer", "Pooling", "Dense", "Normalize")


def read_embedding_head(path: Path, modules: list[Module], prompts: PromptChoices) -> Embedding:
    kinds = [module.kind for module in modules]
    if unknown := [module for module in modules if module.kind not in EMBEDDING_MODULES]:
        raise UnsupportedArchitecture(
            f"{path.name}: module {unknown[0].type}; "
            f"exported are {', '.join(EMBEDDING_MODULES)} of sentence-transformers"
        )
    if modules and kinds[:2] != ["Transformer", "Pooling"]:
        raise UnsupportedArchitecture(
            f"{path.name}: modules {', '.join(kinds)}; a Transformer and a Pooling come first"
        )
    # Without modules.json sentence-transformers pools by the mean.
    pooling, with_prompt = read_pooling(path, modules[1]) if modules else ("mean", True)
    if not with_prompt and (prompts.query.text or prompts.passage.text):
        raise UnsupportedArchitecture(
            f"{path.name}: pooling leaves out the prompt's tokens (include_prompt), "
            "which a graph cannot tell from the text's"
        )
    normalize = kinds[-1:] == ["Normalize"]
    return Embedding(
        dimensions=1,
        similarity=read_similarity(path, normalize=normalize),
        pooling=pooling,
        normalize=normalize,
        prompts=prompts.texts,
    )
