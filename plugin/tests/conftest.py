"""The tiny bundles, and hypothesis that tries the same cases every time.

A case that was found becomes an @example. No deadline, no complaint of slowness: a shared machine
is slow at times, and a slow test is no wrong result.
"""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bicross.bundle import Bundle, open_bundle
from bicross.runtime import BiEncoder, CrossEncoder

BUNDLES = Path(__file__).parent / "bundles"

settings.register_profile(
    "bicross",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("bicross")


@pytest.fixture(scope="session")
def bi_bundle() -> Bundle:
    return open_bundle(BUNDLES / "tiny-bi")


@pytest.fixture(scope="session")
def cross_bundle() -> Bundle:
    return open_bundle(BUNDLES / "tiny-cross")


@pytest.fixture(scope="session")
def cut_bundle() -> Bundle:
    """Pools without the prompt; vectors of 16, 8 or 4 dimensions, as int8 too."""
    return open_bundle(BUNDLES / "tiny-cut")


@pytest.fixture(scope="session")
def bi_encoder(bi_bundle: Bundle) -> BiEncoder:
    return BiEncoder.load(bi_bundle, threads=1)


@pytest.fixture(scope="session")
def cross_encoder(cross_bundle: Bundle) -> CrossEncoder:
    return CrossEncoder.load(cross_bundle, threads=1)
