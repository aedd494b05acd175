"""Logits in the order of their passages, whoever shares their batch."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bicross.bundle import Bundle
from bicross.errors import InvalidManifest, QueryTooLong, UsageError
from bicross.runtime import CrossEncoder

QUERY = "where does the cat sit"
PASSAGES = ["the cat sat on the mat", "bread " * 70, "a", "stock prices fell", "river water"]
TOLERANCE = 1e-5


@settings(max_examples=20)
@given(st.permutations(range(len(PASSAGES))))
def test_any_order_of_the_passages_gives_the_same_scores(
    cross_encoder: CrossEncoder, order: list[int]
) -> None:
    plain = cross_encoder.score(QUERY, PASSAGES)
    shuffled = cross_encoder.score(QUERY, [PASSAGES[index] for index in order])
    assert np.abs(shuffled - plain[order]).max() < TOLERANCE


def test_passage_has_the_same_logit_alone_and_among_others(cross_encoder: CrossEncoder) -> None:
    together = cross_encoder.score(QUERY, PASSAGES)
    alone = [cross_encoder.score(QUERY, [passage])[0] for passage in PASSAGES]
    assert together == pytest.approx(alone, abs=TOLERANCE)


def test_logits_are_float32_one_per_passage(cross_encoder: CrossEncoder) -> None:
    logits = cross_encoder.score(QUERY, PASSAGES)
    assert logits.dtype == np.float32
    assert logits.shape == (5,)


def test_no_passages_give_no_logits(cross_encoder: CrossEncoder) -> None:
    assert cross_encoder.score(QUERY, []).shape == (0,)


def test_query_too_long_is_refused_before_the_model_runs(cross_encoder: CrossEncoder) -> None:
    with pytest.raises(QueryTooLong):
        cross_encoder.score("cat " * 70, PASSAGES)


def test_manifest_with_other_labels_than_the_graph_is_refused_with_both(
    cross_bundle: Bundle,
) -> None:
    assert cross_bundle.manifest.rerank is not None
    wrong = cross_bundle.manifest.rerank.model_copy(update={"labels": 2})
    manifest = cross_bundle.manifest.model_copy(update={"rerank": wrong})
    with pytest.raises(InvalidManifest, match=r"has 1 labels but manifest\.json says 2"):
        CrossEncoder.load(replace(cross_bundle, manifest=manifest), threads=1)


def test_bi_encoder_s_bundle_is_refused(bi_bundle: Bundle) -> None:
    with pytest.raises(UsageError, match="is for text_embedding"):
        CrossEncoder.load(bi_bundle)
