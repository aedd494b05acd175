"""A model as a folder: the ecosystem's own layout plus one manifest.json that proves it."""

from bicross.bundle.golden import Bound, Comparison, Goldens
from bicross.bundle.manifest import Manifest
from bicross.bundle.store import Bundle, open_bundle, staged_bundle, verify_files

__all__ = [
    "Bound",
    "Bundle",
    "Comparison",
    "Goldens",
    "Manifest",
    "open_bundle",
    "staged_bundle",
    "verify_files",
]
