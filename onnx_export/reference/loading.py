"""A model's folder to the original that runs it."""

from importlib.metadata import version
from typing import Any

from sentence_transformers import CrossEncoder, SentenceTransformer

from bicross.errors import BicrossError, UnsupportedArchitecture
from onnx_export.reference.embedding import EmbeddingReference
from onnx_export.reference.quiet import quiet
from onnx_export.reference.rerank import RerankReference
from onnx_export.source.spec import ModelSpec

Reference = EmbeddingReference | RerankReference


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
    if spec.is_cut:
        reference.model.max_seq_length = spec.max_tokens
    reference.model.eval()
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
    model = SentenceTransformer(path, **options)
    return EmbeddingReference(
        spec.with_dimensions(int(model.get_embedding_dimension() or 0)), model
    )
