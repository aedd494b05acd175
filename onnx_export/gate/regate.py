"""The gate run again for a bundle that exists, against the model it was made from."""

import gc
from collections.abc import Callable
from dataclasses import replace

from bicross.bundle import Bundle, Manifest
from bicross.bundle.heads import Prompts
from bicross.errors import UsageError
from bicross.runtime.ranking.samples import Sample
from onnx_export.gate.failure import Figures
from onnx_export.gate.probes import compute_probes
from onnx_export.gate.proof import prove
from onnx_export.gate.whole import compare_with_whole
from onnx_export.reference.loading import Reference, load_reference
from onnx_export.source.hub import ModelFolder, weight_files, weights_sha256
from onnx_export.source.limits import Limit
from onnx_export.source.spec import ModelSpec, Options, read_spec


def run_gate_again(
    bundle: Bundle,
    folder: ModelFolder,
    sample: Sample,
    narrate: Callable[[str], None],
    *,
    trust_remote_code: bool = False,
) -> Figures:
    """The figures of fp32. Raises `GateFailed`, and `UsageError` for another model's folder."""
    reference = load_original(bundle, folder, narrate, trust_remote_code=trust_remote_code)
    narrate(f"torch: scoring the sample ({sample})")
    probes = compute_probes(reference, sample)
    whole = compare_with_whole(reference, probes)
    # The original's weights go before a session brings them again.
    del reference
    gc.collect()
    _, figures = prove(bundle, probes, narrate)
    return figures | whole


def load_original(
    bundle: Bundle,
    folder: ModelFolder,
    narrate: Callable[[str], None],
    *,
    trust_remote_code: bool = False,
) -> Reference:
    """As it was when `bundle` was made. Raises `UsageError` for another model's folder."""
    _require_same_weights(bundle, folder)
    narrate(f"torch: loading {folder.model}")
    options = _options(bundle, trust_remote_code=trust_remote_code)
    return load_reference(_with_recorded_limits(read_spec(folder, options), bundle.manifest))


def _options(bundle: Bundle, *, trust_remote_code: bool) -> Options:
    """The choices with which the bundle was made; they are part of its digest."""
    manifest = bundle.manifest
    prompts: Prompts = getattr(manifest.head, "prompts", Prompts())
    if manifest.rerank is not None:
        prompts = Prompts(query=manifest.rerank.prompt or "")
    return Options(
        task=manifest.task,
        label=str(manifest.rerank.relevance_label) if manifest.rerank else None,
        name=manifest.name,
        max_tokens=manifest.max_tokens,
        query_prompt=prompts.query,
        passage_prompt=None if manifest.rerank else prompts.passage,
        trust_remote_code=trust_remote_code,
        layers=manifest.source.layers,
        dimensions=manifest.embedding.dimensions if manifest.embedding else None,
        matryoshka=(manifest.embedding.matryoshka or ()) if manifest.embedding else None,
    )


def _with_recorded_limits(spec: ModelSpec, manifest: Manifest) -> ModelSpec:
    """Each route cut where the bundle cuts it; one option cannot say both sides' lengths."""
    own = {kind: rows.max_tokens for kind, rows in (manifest.sequences or {}).items()}
    limits = {
        kind: Limit(own.get(kind) or manifest.max_tokens, is_cut=True) for kind in spec.limits
    }
    return replace(spec, limits=limits)


def _require_same_weights(bundle: Bundle, folder: ModelFolder) -> None:
    found = weights_sha256(weight_files(folder.path))
    recorded = bundle.manifest.source.weights_sha256
    if found != recorded:
        raise UsageError(
            f"{folder.model} has weights with sha256 {found}, but the bundle was "
            f"made from {recorded}; name its own model"
        )
