"""Precisions added to a bundle that exists: its digest, and so the vectors made with it, stay."""

import gc
import shutil
from dataclasses import dataclass
from pathlib import Path

from bicross.bundle import Bundle, Manifest, open_bundle, staged_bundle
from bicross.bundle.layout import MANIFEST
from bicross.errors import UsageError
from bicross.runtime import load_encoder, self_test
from bicross.runtime.ranking.samples import Sample
from onnx_export.gate.probes import Probes, compute_probes
from onnx_export.gate.proof import Narrate
from onnx_export.gate.regate import load_original
from onnx_export.model_card import with_model_card
from onnx_export.precision.adding import PrecisionsRefused, Workbench, add_precisions
from onnx_export.precision.names import BASIS
from onnx_export.source.hub import ModelFolder


@dataclass(frozen=True)
class Extension:
    """`original` is the model that `bundle` was made from."""

    bundle: Bundle
    original: ModelFolder
    sample: Sample
    precisions: tuple[str, ...]
    judgements: Path | None = None
    trust_remote_code: bool = False


def extend_bundle(asked: Extension, narrate: Narrate) -> tuple[Manifest, PrecisionsRefused | None]:
    """The manifest of the bundle that took the old one's place, and what was refused.

    Raises `UsageError` where a precision is there already, or there is no fp32 to compare.
    """
    _require_new(asked)
    probes = _probes(asked, narrate)
    # The original's weights go before a session brings them again.
    gc.collect()
    with staged_bundle(asked.bundle.path, force=True) as staging:
        shutil.copytree(asked.bundle.path, staging, dirs_exist_ok=True)
        copy = Bundle(staging, asked.bundle.manifest, asked.bundle.goldens)
        bench = Workbench(copy, probes, narrate)
        extended, refused = add_precisions(bench, asked.precisions, asked.judgements)
        manifest = with_model_card(extended.manifest, staging)
        (staging / MANIFEST).write_text(manifest.to_json())
        narrate("reading the bundle as the server will")
        bundle = open_bundle(staging)
        for precision in manifest.precisions.keys() - asked.bundle.manifest.precisions.keys():
            if manifest.precisions[precision].hint is None:
                self_test(load_encoder(bundle, precision), bundle)
    return manifest, PrecisionsRefused(manifest, refused) if refused else None


def _require_new(asked: Extension) -> None:
    manifest = asked.bundle.manifest
    if BASIS not in manifest.precisions:
        raise UsageError(
            f"bundle {manifest.name} has no fp32 graph to make others from; export its model anew"
        )
    if not asked.precisions:
        raise UsageError("nothing to add; name what is wanted with --precision")
    if known := sorted(manifest.precisions.keys() & set(asked.precisions)):
        raise UsageError(f"bundle {manifest.name} has {', '.join(known)} already")


def _probes(asked: Extension, narrate: Narrate) -> Probes:
    reference = load_original(
        asked.bundle, asked.original, narrate, trust_remote_code=asked.trust_remote_code
    )
    narrate(f"torch: scoring the sample ({asked.sample})")
    return compute_probes(reference, asked.sample)
