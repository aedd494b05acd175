"""Every engine gives a bundle's goldens again, whoever shares a batch and however many call it."""

from collections import UserDict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bicross.bundle import Bundle, open_bundle
from bicross.errors import EnvironmentProblem, GoldenMismatch, ModelFailed, UnsafeGraph, UsageError
from bicross.runtime import (
    BiEncoder,
    CrossEncoder,
    Encoder,
    Execution,
    installed_engines,
    load_encoder,
    open_encoder,
    self_test,
)

CPU_ENGINES = ("onnxruntime", "openvino")
WORDS = ("the", "cat", "sat", "on", "river", "bread", "salt", "fell", "king")
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=70).map(" ".join), min_size=1)
OUTPUT = "sentence_embedding"
TOLERANCE = 1e-5
# A logit is no unit vector's number: those of tiny-cross reach 11.
LOGIT_TOLERANCE = 1e-5 * 11


def require(engine: str) -> str:
    if engine not in installed_engines():
        pytest.skip(f"{engine} is not installed: its extra is bicross[{engine}]")
    return engine


@pytest.fixture(params=CPU_ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return require(request.param)


def loaded(bundle: Bundle, engine: str, streams: int = 1) -> Encoder:
    return _loaded(bundle.path, engine, streams)


@cache
def _loaded(path: Path, engine: str, streams: int) -> Encoder:
    return load_encoder(open_bundle(path), threads=2, engine=engine, streams=streams)


@pytest.mark.parametrize(
    "name",
    ["bi_bundle", "cross_bundle", "cut_bundle", "sparse_bundle", "late_bundle", "decoder_bundle"],
)
def test_goldens_of_every_task_come_out(
    name: str, engine: str, request: pytest.FixtureRequest
) -> None:
    bundle: Bundle = request.getfixturevalue(name)
    encoder = load_encoder(bundle, threads=1, engine=engine)
    assert self_test(encoder, bundle).min_tau == 1.0
    assert (encoder.engine, encoder.precision, encoder.streams) == (engine, "fp32", 1)


def test_wrong_goldens_are_a_mismatch_that_names_the_engine(
    engine: str, cross_bundle: Bundle
) -> None:
    encoder = load_encoder(cross_bundle, threads=1, engine=engine)
    assert cross_bundle.goldens.scores is not None
    scores = type(cross_bundle.goldens.scores).of(
        [[-value for value in row] for row in cross_bundle.goldens.scores.rows()]
    )
    goldens = cross_bundle.goldens.model_copy(update={"scores": scores})
    with pytest.raises(GoldenMismatch, match=f"tiny-cross, fp32 in {engine}"):
        self_test(encoder, replace(cross_bundle, goldens=goldens))


@settings(max_examples=15)
@given(texts=TEXTS, engine=st.sampled_from(installed_engines()[:2]))
def test_vector_does_not_depend_on_what_else_is_in_its_batch(
    bi_bundle: Bundle, texts: list[str], engine: str
) -> None:
    encoder = loaded_bi(bi_bundle, engine)
    sequences = encoder.tokenize(texts, "passage")
    together = encoder.run(sequences)
    alone = np.concatenate([encoder.run([sequence]) for sequence in sequences])
    assert np.abs(together - alone).max() < TOLERANCE


@settings(max_examples=15)
@given(texts=TEXTS, engine=st.sampled_from(installed_engines()[:2]))
def test_logit_does_not_depend_on_what_else_is_in_its_batch(
    cross_bundle: Bundle, texts: list[str], engine: str
) -> None:
    encoder = loaded(cross_bundle, engine)
    assert isinstance(encoder, CrossEncoder)
    sequences = encoder.tokenize("where does the cat sit", texts)
    together = encoder.run(sequences)
    alone = np.concatenate([encoder.run([sequence]) for sequence in sequences])
    assert np.abs(together - alone).max() < LOGIT_TOLERANCE


def test_streams_that_run_at_once_give_what_one_gives(engine: str, bi_bundle: Bundle) -> None:
    one, four = loaded_bi(bi_bundle, engine), loaded_bi(bi_bundle, engine, 4)
    assert four.streams == 4
    batches = [[word * 1, f"{word} cat", "river " * (n + 1)] for n, word in enumerate(WORDS)] * 4
    rows = [one.tokenize(batch, "passage") for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(four.run, rows))
    for own, sequences in zip(found, rows, strict=True):
        assert np.abs(own - one.run(sequences)).max() < TOLERANCE


def test_spare_begins_while_the_only_stream_is_busy(bi_bundle: Bundle) -> None:
    """Onnxruntime takes any number of calls: its threads are not of one stream."""
    execution = Execution(require("openvino"), threads=1, spare=True)
    graph = BiEncoder.open(bi_bundle, execution).session.graph
    both = Barrier(2, timeout=30)

    class Meeting(UserDict[str, Any]):
        """Can be read once another thread reads one too."""

        def __iter__(self) -> Iterator[str]:
            both.wait()
            return super().__iter__()

    rows = ([5, 6], [7, 8, 9])
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda ids: graph.run(Meeting(feeds(ids)), OUTPUT), rows))
    for own, ids in zip(found, rows, strict=True):
        assert np.abs(own - graph.run(feeds(ids), OUTPUT)).max() < TOLERANCE


def test_output_is_the_caller_s_and_later_runs_do_not_change_it(
    engine: str, bi_bundle: Bundle
) -> None:
    encoder = loaded_bi(bi_bundle, engine)
    graph = encoder.session.graph
    first = graph.run(feeds([5, 6]), OUTPUT)
    kept = first.copy()
    graph.run(feeds([7, 8]), OUTPUT)
    assert np.array_equal(first, kept)


@pytest.mark.parametrize("pad_to", [1, 8, 48, 512])
def test_wider_batches_give_the_same_numbers(
    pad_to: int, engine: str, bi_bundle: Bundle, decoder_bundle: Bundle
) -> None:
    """Up to the model's own length, on either side of a row."""
    for bundle in (bi_bundle, decoder_bundle):
        wide = open_encoder(bundle, Execution(engine, threads=1, pad_to=pad_to))
        self_test(wide, bundle)


def test_batch_that_fails_is_a_failed_model_and_the_next_one_runs(
    engine: str, bi_bundle: Bundle
) -> None:
    encoder = loaded_bi(bi_bundle, engine)
    too_many = bi_bundle.manifest.max_tokens + 1
    with pytest.raises(ModelFailed, match=rf"\(1, {too_many}\)"):
        encoder.session.run(feeds([1] * too_many))
    assert encoder.encode(["bread"], "query").shape == (1, 16)


def test_file_that_no_engine_can_load_is_an_unsafe_graph(
    engine: str, message: Any, copied: Any, bi_bundle: Bundle
) -> None:
    bundle = copied(bi_bundle)
    bundle.file("onnx/model.onnx").write_bytes(message((7, message((2, "nothing in it")))))
    with pytest.raises(UnsafeGraph):
        load_encoder(bundle, engine=engine)


def test_bf16_is_computed_or_refused_and_never_taken_for_float32(bi_bundle: Bundle) -> None:
    """A CPU without bfloat16 computes in float32 whatever it is asked for."""
    try:
        encoder = load_encoder(bi_bundle, "bf16", threads=1, engine=require("openvino"))
    except EnvironmentProblem as error:
        assert "asked for bf16" in str(error)  # noqa: PT017  either end is right
        return
    comparison = self_test(encoder, bi_bundle)
    assert comparison.max_abs_diff > 1e-4


@pytest.mark.parametrize("name", ["onnxruntime-cuda", "onnxruntime-tensorrt"])
def test_gpu_engine_that_is_not_here_names_its_package(name: str, bi_bundle: Bundle) -> None:
    if name in installed_engines():
        pytest.skip(f"{name} is installed here")
    with pytest.raises(EnvironmentProblem, match=f"{name} needs .*onnxruntime-gpu"):
        load_encoder(bi_bundle, engine=name)


def test_engine_that_there_is_not_is_refused_with_those_there_are(bi_bundle: Bundle) -> None:
    with pytest.raises(UsageError, match="no engine 'tvm'; allowed are onnxruntime, openvino"):
        load_encoder(bi_bundle, engine="tvm")


def loaded_bi(bundle: Bundle, engine: str, streams: int = 1) -> BiEncoder:
    encoder = loaded(bundle, engine, streams)
    assert isinstance(encoder, BiEncoder)
    return encoder


def feeds(ids: Sequence[int]) -> dict[str, Any]:
    ones = np.ones((1, len(ids)), np.int64)
    return {
        "input_ids": np.array([ids], np.int64),
        "attention_mask": ones,
        "token_type_ids": ones * 0,
    }
