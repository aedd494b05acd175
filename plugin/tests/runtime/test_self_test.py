"""A bundle serves only where its goldens come out again."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from bicross.bundle import Bundle
from bicross.bundle.matrix import Matrix
from bicross.errors import GoldenMismatch, InvalidManifest
from bicross.runtime import BiEncoder, CrossEncoder, self_test

Copied = Callable[[Bundle], Bundle]


def test_tiny_bundles_reproduce_their_goldens(
    bi_encoder: BiEncoder, cross_encoder: CrossEncoder, cut_bundle: Bundle
) -> None:
    for encoder in (bi_encoder, cross_encoder, BiEncoder.load(cut_bundle, threads=1)):
        comparison = self_test(encoder, encoder.bundle)
        assert comparison.max_abs_diff < 1e-4
        assert comparison.min_tau > 0.99


def test_one_changed_number_is_a_mismatch_that_says_by_how_much(
    cross_encoder: CrossEncoder,
) -> None:
    bundle = cross_encoder.bundle
    assert bundle.goldens.scores is not None
    rows = bundle.goldens.scores.rows()
    rows[3][5] += 0.5
    goldens = bundle.goldens.model_copy(update={"scores": Matrix.of(rows)})
    with pytest.raises(
        GoldenMismatch, match=r"tiny-cross, fp32 in onnxruntime: golden outputs differ by 0\.5"
    ):
        self_test(cross_encoder, replace(bundle, goldens=goldens))


def test_tokenizer_of_another_model_is_a_mismatch(copied: Copied, bi_bundle: Bundle) -> None:
    bundle = copied(bi_bundle)
    file = bundle.file("tokenizer.json")
    content = json.loads(file.read_text())
    vocabulary = content["model"]["vocab"]
    vocabulary["cat"], vocabulary["river"] = vocabulary["river"], vocabulary["cat"]
    file.write_text(json.dumps(content))
    with pytest.raises(GoldenMismatch, match="tiny-bi"):
        self_test(BiEncoder.load(bundle, threads=1), bundle)


def test_precision_without_a_bound_is_not_trusted(bi_encoder: BiEncoder) -> None:
    bundle = bi_encoder.bundle
    goldens = bundle.goldens.model_copy(update={"bounds": {}})
    with pytest.raises(InvalidManifest, match="no bound for precision fp32"):
        self_test(bi_encoder, replace(bundle, goldens=goldens))
