"""Each input type goes through its own rows and its own graph, whatever shares a call."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.bundle import Bundle
from bicross.bundle.matrix import Matrix
from bicross.errors import GoldenMismatch, InvalidManifest, UnsafeGraph
from bicross.runtime import BiEncoder, TokenSequence, self_test

TEXTS = ("the cat sat", "bread is made from water and salt", "king", "the river " * 9)
TOLERANCE = 1e-5


@pytest.fixture(scope="session")
def encoder(routed: Any) -> BiEncoder:
    return BiEncoder.load(routed.bundle, threads=1)


def test_queries_go_through_their_own_graph(encoder: BiEncoder, routed: Any) -> None:
    expected = np.stack([routed.expected(text) for text in TEXTS])
    assert np.abs(encoder.encode(TEXTS, "query") - expected).max() < TOLERANCE


def test_passages_go_through_the_passages_graph(encoder: BiEncoder, bi_encoder: BiEncoder) -> None:
    expected = bi_encoder.encode(TEXTS, "passage")
    assert np.abs(encoder.encode(TEXTS, "passage") - expected).max() < TOLERANCE


@given(
    st.lists(st.tuples(st.sampled_from(["query", "passage"]), st.sampled_from(TEXTS)), min_size=1)
)
def test_one_call_may_mix_both(encoder: BiEncoder, inputs: list[tuple[Any, str]]) -> None:
    sequences = [encoder.tokenize([text], kind)[0] for kind, text in inputs]
    alone = np.concatenate([encoder.encode([text], kind) for kind, text in inputs])
    assert np.abs(encoder.run(sequences) - alone).max() < TOLERANCE


def test_one_session_serves_both_where_there_is_one_graph(
    bi_encoder: BiEncoder, encoder: BiEncoder
) -> None:
    assert bi_encoder.session_for("query") is bi_encoder.session_for("passage")
    assert encoder.session_for("query") is not encoder.session_for("passage")


def test_each_side_has_its_own_length(encoder: BiEncoder) -> None:
    lengths = [encoder.tokenize(["cat " * 99], kind)[0].length for kind in ("query", "passage")]
    assert lengths == [encoder.max_tokens("query"), encoder.max_tokens("passage")] == [8, 64]


def test_prompt_is_counted_only_where_the_graph_leaves_it_out(encoder: BiEncoder) -> None:
    assert encoder.sides["query"].prompt_tokens == 1
    assert encoder.sides["passage"].prompt_tokens == 0


def test_self_test_finds_a_wrong_query_graph(encoder: BiEncoder, routed: Any) -> None:
    self_test(encoder, routed.bundle)
    goldens = routed.bundle.goldens
    rows = goldens.queries_out.rows()
    rows[0][0] += 0.5
    wrong = goldens.model_copy(update={"queries_out": Matrix.of(rows)})
    with pytest.raises(
        GoldenMismatch, match=r"tiny-routed, fp32 in onnxruntime: golden outputs differ by 0\.5"
    ):
        self_test(encoder, replace(routed.bundle, goldens=wrong))


def test_query_graph_with_other_tensors_than_its_manifest_is_refused(routed: Any) -> None:
    manifest = routed.bundle.manifest
    other = manifest.query_graph.model_copy(update={"output": "pooled"})
    bundle = replace(routed.bundle, manifest=manifest.model_copy(update={"query_graph": other}))
    with pytest.raises(InvalidManifest, match="tiny-routed, fp32, queries: the graph has inputs"):
        BiEncoder.load(bundle, threads=1)


def test_query_graph_of_another_width_never_serves(copied: Any, routed: Any) -> None:
    bundle: Bundle = copied(routed.bundle)
    bundle.file("onnx/query_model.onnx").write_bytes(routed.narrowed_graph())
    with pytest.raises(InvalidManifest, match=r"queries: .* has 8 dimensions .* says 16"):
        BiEncoder.load(bundle, threads=1)


def test_query_graph_is_as_suspect_as_the_other(copied: Any, routed: Any) -> None:
    bundle: Bundle = copied(routed.bundle)
    bundle.file("onnx/query_model.onnx").write_bytes(b"")
    with pytest.raises(UnsafeGraph, match=r"query_model\.onnx"):
        BiEncoder.load(bundle, threads=1)


def test_rows_are_padded_on_the_side_that_the_manifest_says(bi_bundle: Bundle) -> None:
    """A BERT counts positions from the left, so that padding there shows in its numbers."""
    left = bi_bundle.manifest.model_copy(update={"padding_side": "left"})
    encoder = BiEncoder.load(replace(bi_bundle, manifest=left), threads=1)
    right = BiEncoder.load(bi_bundle, threads=1)
    rows = right.tokenize(["cat", "the cat sat on the mat"], "passage")
    shown = [each.run(rows) for each in (right, encoder)]
    assert np.abs(shown[0][1] - shown[1][1]).max() < TOLERANCE
    assert np.abs(shown[0][0] - shown[1][0]).max() > 0.01


def test_row_without_a_token_is_a_row_all_the_same(encoder: BiEncoder) -> None:
    empty = TokenSequence(np.array([], np.int32), np.array([], np.int8), 0, "query")
    assert encoder.run([empty]).tolist() == [[0.0] * 16]
