"""Which precisions of a bundle an engine can run."""

from bicross.bundle import Manifest
from bicross.bundle.manifest import PrecisionRecord
from bicross.errors import UsageError

BASIS = "fp32"
HINT = "bf16"
# Engines that compute a float32 graph in bfloat16 where they are asked to.
TAKE_HINTS = frozenset({"openvino"})


def runnable_precisions(manifest: Manifest, engine: str = "onnxruntime") -> list[str]:
    """Files of their own, and with an engine that takes hints those too."""
    return sorted(_runnable(manifest, engine))


def require_precision(
    manifest: Manifest, precision: str, engine: str = "onnxruntime"
) -> PrecisionRecord:
    """Raises `UsageError` for a precision that the bundle lacks or the engine cannot run."""
    runnable = _runnable(manifest, engine)
    if precision in runnable:
        return runnable[precision]
    offered = ", ".join(sorted(runnable))
    if precision in manifest.precisions:
        raise UsageError(
            f"bundle {manifest.name}: precision {precision!r} is a hint to another engine, and "
            f"{engine} has no such hint; it runs {offered}"
        )
    raise UsageError(f"bundle {manifest.name} has no precision {precision!r}; it has {offered}")


def _runnable(manifest: Manifest, engine: str) -> dict[str, PrecisionRecord]:
    """A hint needs no file, so that every bundle with a float32 graph can be run with it."""
    if engine not in TAKE_HINTS:
        return {name: each for name, each in manifest.precisions.items() if each.hint is None}
    found = dict(manifest.precisions)
    basis = found.get(BASIS)
    if basis is not None and HINT not in found:
        found[HINT] = PrecisionRecord(
            file=basis.file, query_file=basis.query_file, hint=HINT, parity="not measured"
        )
    return found
