"""The gate run again for a bundle that exists, against the model it was made from."""

from collections.abc import Callable

from bicross.bundle import Bundle
from bicross.bundle.manifest import Prompts
from bicross.errors import UsageError
from onnx_export.hub import weight_files, weights_sha256
from onnx_export.probes import compute_probes
from onnx_export.publish import Parity, load_model, prove
from onnx_export.reference import Reference
from onnx_export.samples import Sample
from onnx_export.source import Options


def run_gate_again(
    bundle: Bundle, model: str, sample: Sample, narrate: Callable[[str], None]
) -> Parity:
    """The figures of fp32; raises `GateFailed`, and `UsageError` where `model` is another one."""
    narrate(f"reading {model}")
    reference = load_model(model, bundle.manifest.source.revision, _options(bundle))
    _require_same_weights(bundle, reference)
    narrate(f"torch: scoring the sample ({sample})")
    return prove(bundle, compute_probes(reference, sample), narrate)


def _options(bundle: Bundle) -> Options:
    """The choices with which the bundle was made; they are part of its digest."""
    manifest = bundle.manifest
    prompts = manifest.embedding.prompts if manifest.embedding else Prompts()
    is_rerank = manifest.rerank is not None
    return Options(
        task=manifest.task,
        label=str(manifest.rerank.relevance_label) if manifest.rerank else None,
        name=manifest.name,
        max_tokens=manifest.max_tokens,
        query_prompt=None if is_rerank else prompts.query,
        passage_prompt=None if is_rerank else prompts.passage,
    )


def _require_same_weights(bundle: Bundle, reference: Reference) -> None:
    found = weights_sha256(weight_files(reference.spec.folder.path))
    recorded = bundle.manifest.source.weights_sha256
    if found != recorded:
        raise UsageError(
            f"{reference.spec.folder.model} has weights with sha256 {found}, but the bundle was "
            f"made from {recorded}; name its own model"
        )
