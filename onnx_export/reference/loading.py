"""A model's folder to the original that runs it."""

from dataclasses import replace
from importlib.metadata import version
from typing import Any

from sentence_transformers import (
    CrossEncoder,
    MultiVectorEncoder,
    SentenceTransformer,
    SparseEncoder,
)

from bicross.errors import BicrossError, UnsupportedArchitecture
from onnx_export.reference.embedding import EmbeddingReference
from onnx_export.reference.late_interaction import LateInteractionReference
from onnx_export.reference.layers import cut_layers
from onnx_export.reference.quiet import quiet
from onnx_export.reference.rerank import RerankReference
from onnx_export.reference.sparse import SparseReference
from onnx_export.source.spec import ModelSpec

Reference = EmbeddingReference | SparseReference | LateInteractionReference | RerankReference


def load_reference(spec: ModelSpec) -> Reference:
    """Eager attention: its graph is made of plain operators, and the numbers are the model's.

    Raises `UnsupportedArchitecture` where the libraries cannot load the folder.
    """
    with quiet():
        try:
            reference = _load(spec)
        except BicrossError:
            raise
        except Exception as error:
            raise UnsupportedArchitecture(
                f"{spec.folder.model} cannot be loaded by sentence-transformers "
                f"{version('sentence-transformers')}: {type(error).__name__}: {error}"
            ) from error
    if spec.layers is not None:
        cut = cut_layers(spec.folder.model, reference.model, spec.layers)
        reference = replace(reference, layer_cut=cut)
    reference.cut_sequences()
    # Parts that were saved in half precision compute in float32 too, as the graph will.
    reference.model.float().eval()
    return reference


def _load(spec: ModelSpec) -> Reference:
    options: dict[str, Any] = {
        "device": "cpu",
        "local_files_only": True,
        "trust_remote_code": spec.trust_remote_code,
        "model_kwargs": {
            "attn_implementation": "eager",
            "dtype": "float32",
            "use_safetensors": True,
        },
    }
    path = str(spec.folder.path)
    if spec.task == "rerank":
        return RerankReference.of(spec, CrossEncoder(path, **options))
    if spec.task == "sparse_embedding":
        return SparseReference.of(spec, SparseEncoder(path, **options))
    if spec.task == "late_interaction":
        return LateInteractionReference.of(spec, MultiVectorEncoder(path, **options))
    return EmbeddingReference.of(spec, SentenceTransformer(path, **options))
