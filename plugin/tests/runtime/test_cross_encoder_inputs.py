"""What a cross-encoder puts around a pair: a prompt before the query, or a template's text."""

from dataclasses import replace

import numpy as np
import pytest

from bicross.bundle import Bundle
from bicross.errors import QueryTooLong
from bicross.runtime import CrossEncoder, self_test

QUERY = "where does the cat sit"
PASSAGES = ["the cat sat on the mat", "bread " * 70, "a", "stock prices fell", ""]
TOLERANCE = 1e-5


@pytest.fixture(scope="session")
def decoder(decoder_bundle: Bundle) -> CrossEncoder:
    return CrossEncoder.load(decoder_bundle, threads=1)


def prompted(bundle: Bundle, prompt: str) -> CrossEncoder:
    assert bundle.manifest.rerank is not None
    head = bundle.manifest.rerank.model_copy(update={"prompt": prompt})
    manifest = bundle.manifest.model_copy(update={"rerank": head}).sealed()
    return CrossEncoder.load(replace(bundle, manifest=manifest), threads=1)


def test_decoder_gives_its_goldens(decoder: CrossEncoder, decoder_bundle: Bundle) -> None:
    assert self_test(decoder, decoder_bundle).min_tau == 1.0


def test_decoder_pads_on_the_left_so_that_a_logit_is_the_same_in_any_batch(
    decoder: CrossEncoder,
) -> None:
    together = decoder.score(QUERY, PASSAGES)
    alone = [decoder.score(QUERY, [passage])[0] for passage in PASSAGES]
    assert together == pytest.approx(alone, abs=TOLERANCE)
    assert np.ptp(together) > 0.1


def test_decoder_s_long_pair_loses_passage_tokens_and_keeps_its_end(decoder: CrossEncoder) -> None:
    short, long = decoder.tokenize(QUERY, ["a", "bread " * 70])
    assert long.length == decoder.tokenizer.max_tokens
    assert long.truncated
    assert not short.truncated
    assert long.ids[-4:].tolist() == short.ids[-4:].tolist()


def test_decoder_s_query_too_long_is_refused(decoder: CrossEncoder) -> None:
    with pytest.raises(QueryTooLong, match="are its template's"):
        decoder.score("cat " * 70, PASSAGES)


def test_prompt_goes_before_the_query(cross_bundle: Bundle, cross_encoder: CrossEncoder) -> None:
    found = prompted(cross_bundle, "how is ").tokenize("bread made", PASSAGES)
    expected = cross_encoder.tokenize("how is bread made", PASSAGES)
    assert [row.ids.tolist() for row in found] == [row.ids.tolist() for row in expected]


def test_prompt_of_a_template_is_not_put_in_again(
    decoder_bundle: Bundle, decoder: CrossEncoder
) -> None:
    found = prompted(decoder_bundle, "how is ").tokenize(QUERY, PASSAGES)
    expected = decoder.tokenize(QUERY, PASSAGES)
    assert [row.ids.tolist() for row in found] == [row.ids.tolist() for row in expected]


def test_what_is_added_has_no_more_tokens_than_bytes(
    decoder: CrossEncoder, cross_bundle: Bundle
) -> None:
    (empty,) = decoder.tokenize("", [""])
    assert empty.length <= decoder.added_bytes
    assert prompted(cross_bundle, "größe ").added_bytes == 8
