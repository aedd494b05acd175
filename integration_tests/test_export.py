"""`onnx-export` on real weights: a float bi-encoder, a float cross-encoder, an int8 graph."""

from pathlib import Path

import numpy as np
import pytest
from real_models import RealModel, adopted_cross_encoder
from server_process import NEWEST_ES

from bicross.bundle import open_bundle
from bicross.runtime import CrossEncoder
from bicross.runtime.ranking.samples import read_sample


@pytest.fixture(autouse=True)
def once(es_version: str) -> None:
    if es_version != NEWEST_ES:
        pytest.skip("an export does not depend on Elasticsearch's version: tested with the newest")


@pytest.mark.parametrize(("which", "largest"), [(0, 1e-6), (1, 5e-5)], ids=["bi", "cross"])
def test_a_float_model_is_exported_well_within_its_tolerance(
    models: tuple[RealModel, RealModel], which: int, largest: float
) -> None:
    parity = open_bundle(models[which].bundle).manifest.precisions["fp32"].parity
    assert isinstance(parity, dict)
    assert float(parity["max_abs_diff"]) < largest
    assert parity["min_kendall_tau"] == 1.0
    assert parity["min_top10_overlap"] == 1.0


def test_an_int8_graph_is_adopted_and_ranks_as_the_float_one(
    models: tuple[RealModel, RealModel], bundle_cache: Path
) -> None:
    """Its config.json is completed from the graph; its goldens' bound is measured."""
    adopted = open_bundle(adopted_cross_encoder(bundle_cache))
    assert list(adopted.manifest.precisions) == ["int8"]
    assert adopted.manifest.rerank is not None
    assert adopted.manifest.rerank.activation == "identity"
    assert 1e-3 < adopted.goldens.bounds["int8"].max_abs_diff < 3
    sample = read_sample()
    query, passages = sample.queries[0], sample.passages
    int8 = CrossEncoder.load(adopted, "int8").score(query, passages)
    fp32 = CrossEncoder.load(open_bundle(models[1].bundle)).score(query, passages)
    assert np.abs(int8 - fp32).max() < 1
    assert int8.argmax() == fp32.argmax() == 0
