"""Vectors in the order of their texts, whoever shares their batch."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bicross.bundle import Bundle
from bicross.errors import InvalidManifest, InvalidRequest, UsageError
from bicross.runtime import BiEncoder

TEXTS = ["the cat sat", "bread " * 40, "a", "stock prices fell in the market", "river " * 90]
# Sums in float32 depend on the width of a batch; more than this would be a mistake.
TOLERANCE = 1e-5


def test_text_has_the_same_vector_alone_and_among_others(bi_encoder: BiEncoder) -> None:
    together = bi_encoder.encode(TEXTS, "passage")
    alone = np.concatenate([bi_encoder.encode([text], "passage") for text in TEXTS])
    assert np.abs(together - alone).max() < TOLERANCE


@settings(max_examples=20)
@given(st.permutations(range(len(TEXTS))))
def test_vectors_follow_any_order_of_the_texts(bi_encoder: BiEncoder, order: list[int]) -> None:
    plain = bi_encoder.encode(TEXTS, "passage")
    shuffled = bi_encoder.encode([TEXTS[index] for index in order], "passage")
    assert np.abs(shuffled - plain[order]).max() < TOLERANCE


def test_vectors_are_float32_and_have_unit_length(bi_encoder: BiEncoder) -> None:
    vectors = bi_encoder.encode(TEXTS, "query")
    assert vectors.dtype == np.float32
    assert vectors.shape == (5, 16)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-6)


def test_query_and_passage_have_different_vectors_where_prompts_differ(
    bi_encoder: BiEncoder,
) -> None:
    query, passage = (bi_encoder.encode(["a cat"], kind) for kind in ("query", "passage"))
    assert np.abs(query - passage).max() > 0.01


def test_more_texts_than_a_batch_holds_keep_their_order(bi_encoder: BiEncoder) -> None:
    many = [TEXTS[index % len(TEXTS)] for index in range(203)]
    vectors = bi_encoder.encode(many, "passage")
    assert np.abs(vectors[200] - vectors[0]).max() < TOLERANCE
    assert np.abs(vectors[202] - vectors[2]).max() < TOLERANCE


def test_no_texts_give_no_vectors(bi_encoder: BiEncoder) -> None:
    assert bi_encoder.encode([], "query").shape == (0, 16)


def test_own_dimensions_are_offered_and_no_others(bi_encoder: BiEncoder) -> None:
    assert bi_encoder.encode(["a"], "query", dimensions=16).shape == (1, 16)
    with pytest.raises(InvalidRequest, match="`dimensions` 8 is not offered; tiny-bi gives 16"):
        bi_encoder.encode(["a"], "query", dimensions=8)


def test_vectors_are_cut_to_dimensions_on_offer_and_of_unit_length_again(
    cut_bundle: Bundle,
) -> None:
    encoder = BiEncoder.load(cut_bundle, threads=1)
    whole = encoder.encode(TEXTS, "passage")
    cut = encoder.encode(TEXTS, "passage", dimensions=4)
    assert cut.dtype == np.float32
    expected = whole[:, :4] / np.linalg.norm(whole[:, :4], axis=1, keepdims=True)
    assert np.abs(cut - expected).max() < TOLERANCE


def test_vectors_of_a_model_that_does_not_normalise_are_cut_and_no_more(
    bi_encoder: BiEncoder,
) -> None:
    head = bi_encoder.head.model_copy(update={"normalize": False, "matryoshka": (8,)})
    vectors = np.arange(32, dtype=np.float32).reshape(2, 16)
    assert (replace(bi_encoder, head=head).cut(vectors, 8) == vectors[:, :8]).all()


def test_cut_vector_of_nothing_but_zeros_stays_finite(bi_encoder: BiEncoder) -> None:
    vectors = np.zeros((1, 16), np.float32)
    vectors[0, 15] = 1
    assert bi_encoder.cut(vectors, 8).tolist() == [[0.0] * 8]


def test_prompt_that_is_not_pooled_still_moves_what_is(cut_bundle: Bundle) -> None:
    """The text's tokens see it; and its own, were they pooled, would move the vector too."""
    encoder = BiEncoder.load(cut_bundle, threads=1)
    (row,) = encoder.tokenize(["the cat sat"], "passage")
    assert row.prompt_tokens == 3
    pooled = encoder.run([replace(row, prompt_tokens=0)])
    assert np.abs(encoder.run([row]) - pooled).max() > 0.01
    bare = encoder.tokenizer.encode_texts(["the cat sat"])
    assert np.abs(encoder.run([row]) - encoder.run(bare)).max() > 0.01


def test_dimensions_that_are_not_offered_are_refused_with_those_that_are(
    cut_bundle: Bundle,
) -> None:
    encoder = BiEncoder.load(cut_bundle, threads=1)
    with pytest.raises(InvalidRequest, match="12 is not offered; tiny-cut gives 16, 8, 4") as error:
        encoder.encode(["a"], "query", dimensions=12)
    assert error.value.param == "dimensions"


def test_manifest_with_other_dimensions_than_the_graph_is_refused_with_both(
    bi_bundle: Bundle,
) -> None:
    assert bi_bundle.manifest.embedding is not None
    wrong = bi_bundle.manifest.embedding.model_copy(update={"dimensions": 17})
    manifest = bi_bundle.manifest.model_copy(update={"embedding": wrong})
    with pytest.raises(InvalidManifest, match=r"has 16 dimensions but manifest\.json says 17"):
        BiEncoder.load(replace(bi_bundle, manifest=manifest), threads=1)


def test_cross_encoder_s_bundle_is_refused(cross_bundle: Bundle) -> None:
    with pytest.raises(UsageError, match="is for rerank"):
        BiEncoder.load(cross_bundle)
