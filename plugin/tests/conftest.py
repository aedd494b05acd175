"""The tiny bundles, and hypothesis that tries the same cases every time.

A case that was found becomes an @example. No deadline, no complaint of slowness: a shared machine
is slow at times, and a slow test is no wrong result.
"""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from bicross.bundle import Bundle, open_bundle
from bicross.runtime import BiEncoder, CrossEncoder, LateInteractionEncoder, SparseEncoder

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
def sparse_bundle() -> Bundle:
    """Queries' weights come from a table, passages' from a masked language model."""
    return open_bundle(BUNDLES / "tiny-sparse")


@pytest.fixture(scope="session")
def late_bundle() -> Bundle:
    """Queries are filled up to 16 tokens that the others do not see; punctuation is skipped."""
    return open_bundle(BUNDLES / "tiny-late")


@pytest.fixture(scope="session")
def sparse_encoder(sparse_bundle: Bundle) -> SparseEncoder:
    return SparseEncoder.load(sparse_bundle, threads=1)


@pytest.fixture(scope="session")
def late_encoder(late_bundle: Bundle) -> LateInteractionEncoder:
    return LateInteractionEncoder.load(late_bundle, threads=1)


@pytest.fixture(scope="session")
def decoder_bundle() -> Bundle:
    """A reranker that reads pairs in a template and is padded on the left."""
    return open_bundle(BUNDLES / "tiny-decoder-reranker")


@pytest.fixture(scope="session")
def bi_encoder(bi_bundle: Bundle) -> BiEncoder:
    return BiEncoder.load(bi_bundle, threads=1)


@pytest.fixture(scope="session")
def cross_encoder(cross_bundle: Bundle) -> CrossEncoder:
    return CrossEncoder.load(cross_bundle, threads=1)
