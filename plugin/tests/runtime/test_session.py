"""A session is a graph that fits its manifest, and its errors are ours."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bicross.bundle import Bundle
from bicross.bundle.manifest import Graph
from bicross.errors import (
    EnvironmentProblem,
    InvalidManifest,
    ModelFailed,
    UnsafeGraph,
    UsageError,
)
from bicross.runtime import Execution, Session, TokenSequence, available_threads, pad

Message = Callable[..., bytes]
Copied = Callable[[Bundle], Bundle]

FLOAT, INT64 = 1, 7
ONE_THREAD = Execution(threads=1)


def batch(*lengths: int) -> dict[str, np.typing.NDArray[np.int64]]:
    ones = [TokenSequence(np.ones(n, np.int32), np.zeros(n, np.int8), n) for n in lengths]
    return pad(ones, 0)


def log_graph(message: Message) -> bytes:
    """`logits` = log(input_ids - 1): minus infinity where a token is 1."""

    def value(name: str, kind: int) -> bytes:
        dims = message((1, message((2, "batch"))), (1, message((2, "length"))))
        tensor = message((1, kind), (2, dims))
        return message((1, name), (2, message((1, tensor))))

    cast = message(
        (1, "input_ids"), (2, "x"), (4, "Cast"), (5, message((1, "to"), (3, FLOAT), (20, 2)))
    )
    one = message((2, FLOAT), (4, np.float32(1).tobytes()), (8, "one"))
    minus = message((1, "x"), (1, "one"), (2, "y"), (4, "Sub"))
    log = message((1, "y"), (2, "logits"), (4, "Log"))
    graph = message(
        *((1, node) for node in (cast, minus, log)),
        (2, "g"),
        (5, one),
        (11, value("input_ids", INT64)),
        (12, value("logits", FLOAT)),
    )
    return message((1, 8), (7, graph), (8, message((2, 18))))


def with_graph(bundle: Bundle, graph: Graph) -> Bundle:
    return replace(bundle, manifest=bundle.manifest.model_copy(update={"graph": graph}))


def test_output_is_float32_with_one_row_per_sequence(bi_bundle: Bundle) -> None:
    vectors = Session.load(bi_bundle, ONE_THREAD).run(batch(5, 3))
    assert vectors.dtype == np.float32
    assert vectors.shape == (2, 16)


def test_precision_that_the_bundle_lacks_is_refused_with_those_it_has(bi_bundle: Bundle) -> None:
    with pytest.raises(UsageError, match="no precision 'int3'; it has fp32"):
        Session.load(bi_bundle, Execution(precision="int3"))


@pytest.mark.parametrize(
    "graph",
    [
        Graph(inputs=("input_ids",), output="sentence_embedding", opset=18),
        Graph(inputs=("input_ids", "attention_mask", "token_type_ids"), output="pooled", opset=18),
    ],
    ids=["inputs", "output"],
)
def test_graph_with_other_tensors_than_its_manifest_is_refused(
    graph: Graph, bi_bundle: Bundle
) -> None:
    with pytest.raises(InvalidManifest, match=r"but manifest\.json says"):
        Session.load(with_graph(bi_bundle, graph))


def test_file_that_onnxruntime_cannot_load_is_an_unsafe_graph(
    message: Message, copied: Copied, bi_bundle: Bundle
) -> None:
    bundle = copied(bi_bundle)
    bundle.file("onnx/model.onnx").write_bytes(message((7, message((2, "nothing in it")))))
    with pytest.raises(UnsafeGraph, match="cannot load"):
        Session.load(bundle)


def test_infinite_output_is_a_failed_model(
    message: Message, copied: Copied, cross_bundle: Bundle
) -> None:
    bundle = copied(cross_bundle)
    bundle.file("onnx/model.onnx").write_bytes(log_graph(message))
    graph = Graph(inputs=("input_ids",), output="logits", opset=18)
    session = Session.load(with_graph(bundle, graph), ONE_THREAD)
    assert session.run({"input_ids": np.full((1, 2), 2, np.int64)}).tolist() == [[0.0, 0.0]]
    with pytest.raises(ModelFailed, match="NaN or infinity"):
        session.run({"input_ids": np.ones((1, 2), np.int64)})


def test_error_of_onnxruntime_is_a_failed_model_that_says_how_large_the_batch_was(
    bi_bundle: Bundle,
) -> None:
    session = Session.load(bi_bundle, ONE_THREAD)
    too_long = batch(bi_bundle.manifest.max_tokens + 1)
    with pytest.raises(ModelFailed, match=r"\(1, 65\)"):
        session.run(too_long)


def test_model_may_not_bring_its_own_session_options(
    bi_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORT_LOAD_CONFIG_FROM_MODEL", "1")
    with pytest.raises(EnvironmentProblem, match="unset it"):
        Session.load(bi_bundle)


@pytest.mark.parametrize(("quota", "cores"), [("150000 100000", 1), ("50000 100000", 1)])
def test_container_s_quota_limits_the_threads(
    quota: str, cores: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(quota)
    monkeypatch.setattr("bicross.runtime.engine.threads.CPU_QUOTA", file)
    assert available_threads() == cores


def test_threads_are_the_cores_where_no_quota_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cpu.max"
    file.write_text("max 100000")
    monkeypatch.setattr("bicross.runtime.engine.threads.CPU_QUOTA", file)
    assert available_threads() == len(os.sched_getaffinity(0))
