import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import CrossEncoder, SentenceTransformer

from bicross.bundle import Bundle, open_bundle
from bicross.bundle.store import file_sha256
from bicross.errors import FlatSample, GateFailed, UsageError
from bicross.runtime import BiEncoder, relevance_score
from bicross.runtime import CrossEncoder as Runtime
from bicross.runtime.ranking.samples import Sample
from onnx_export.graph.build import ExportGraph
from onnx_export.publish import Request, export_model
from onnx_export.source.hub import ModelFolder
from onnx_export.source.spec import Options
from onnx_export.trace import trace_graph

pytestmark = pytest.mark.torch


def folder_of(path: Path) -> ModelFolder:
    return ModelFolder(path, path.name)


def test_bundle_holds_what_other_libraries_read_and_no_weights(
    models: Any, export: Callable[..., Bundle]
) -> None:
    bundle = export(models.embedding("mean"))
    files = set(bundle.manifest.files)
    assert files >= {
        "1_Pooling/config.json",
        "config.json",
        "config_sentence_transformers.json",
        "goldens.json",
        "modules.json",
        "onnx/model.onnx",
        "sentence_bert_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    assert {Path(name).suffix for name in files} <= {".json", ".onnx", ".txt", ".md"}


def test_manifest_says_what_the_model_is(models: Any, export: Callable[..., Bundle]) -> None:
    folder = models.embedding("cls", dense=True, normalize=False)
    manifest = export(folder).manifest
    assert manifest.embedding is not None
    embedding = manifest.embedding.model_dump(exclude_none=True)
    assert embedding.pop("int8_scale") > 0
    assert embedding == {
        "dimensions": 24,
        "similarity": "cosine",
        "pooling": "cls",
        "normalize": False,
        "prompts": {"query": "query: ", "passage": "passage: "},
    }
    assert manifest.source.model == folder.name
    assert manifest.graph.inputs == ("input_ids", "attention_mask", "token_type_ids")
    assert torch.__version__.startswith(manifest.tools["torch"])


def test_weights_digest_of_a_single_file_is_that_files(
    models: Any, export: Callable[..., Bundle]
) -> None:
    folder = models.embedding("mean")
    recorded = export(folder).manifest.source.weights_sha256
    assert recorded == file_sha256(folder / "model.safetensors")


def test_vectors_equal_sentence_transformers_for_both_input_types(
    models: Any, export: Callable[..., Bundle], sample: Sample
) -> None:
    folder = models.embedding("mean")
    original = SentenceTransformer(str(folder), device="cpu")
    encoder = BiEncoder.load(export(folder))
    texts = list(sample.passages)
    queries, passages = original.encode_query(texts), original.encode_document(texts)
    assert np.abs(encoder.encode(texts, "query") - queries).max() < 1e-5
    assert np.abs(encoder.encode(texts, "passage") - passages).max() < 1e-5
    assert np.abs(queries - passages).max() > 1e-2


def test_relevance_equals_predict_with_the_models_own_activation(
    models: Any, export: Callable[..., Bundle], sample: Sample
) -> None:
    folder = models.saved_cross_encoder()
    query = sample.queries[0]
    reference = CrossEncoder(str(folder), device="cpu").predict(
        [(query, passage) for passage in sample.passages]
    )
    bundle = export(folder)
    assert bundle.manifest.rerank is not None
    activation = bundle.manifest.rerank.activation
    logits = Runtime.load(bundle).score(query, sample.passages)
    ours = [relevance_score(float(logit), activation) for logit in logits]
    assert np.abs(np.array(ours) - reference).max() < 1e-5


def test_graph_gives_token_embeddings_before_the_pooled(
    models: Any, export: Callable[..., Bundle]
) -> None:
    graph = BiEncoder.load(export(models.embedding("mean"))).session.graph
    assert list(graph.outputs.items()) == [("last_hidden_state", 32), ("sentence_embedding", 32)]


def test_graph_carries_no_path_of_the_machine_that_made_it(
    models: Any, export: Callable[..., Bundle]
) -> None:
    content = export(models.cross(1)).file("onnx/model.onnx").read_bytes()
    for word in (b"stack_trace", b"site-packages", str(Path.home()).encode() + b"/"):
        assert word not in content


def test_two_exports_of_a_model_have_one_digest(
    models: Any, export: Callable[..., Bundle], sample: Sample, tmp_path: Path
) -> None:
    first = export(models.cross(1)).manifest
    again = export_model(Request(folder_of(models.cross(1)), tmp_path / "again", sample), print)
    assert again.digest == first.digest


def test_digest_moves_with_what_decides_an_output(
    models: Any, export: Callable[..., Bundle]
) -> None:
    first, second = (export(models.cross(2), Options(label=label)) for label in "01")
    assert first.manifest.digest != second.manifest.digest


def wrong_tracer(graph: ExportGraph, file: Path) -> None:
    """A tracer that loses the head's bias: small, and everywhere."""
    with torch.no_grad():
        bias = graph.transformer.get_parameter("classifier.bias")
        bias.add_(0.01)
        trace_graph(graph, file)
        bias.sub_(0.01)


def test_failing_gate_leaves_nothing(models: Any, sample: Sample, tmp_path: Path) -> None:
    request = Request(folder_of(models.cross(1)), tmp_path / "out", sample)
    with pytest.raises(GateFailed, match=r"max_abs_diff is 0\.01.*nothing was written"):
        export_model(request, print, trace=wrong_tracer)
    assert list(tmp_path.iterdir()) == []


def test_failing_gate_leaves_the_old_bundle_as_it_was(
    models: Any, export: Callable[..., Bundle], sample: Sample, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    export(models.cross(1)).path.rename(out)
    try:
        request = Request(folder_of(models.cross(1)), out, sample, force=True)
        with pytest.raises(GateFailed):
            export_model(request, print, trace=wrong_tracer)
        assert open_bundle(out).manifest.name == "cross-1"
        assert [entry.name for entry in tmp_path.iterdir()] == ["out"]
    finally:
        out.rename(export(models.cross(1)).path)


def test_output_folder_that_holds_something_is_untouched(
    models: Any, sample: Sample, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"not empty.*--force"):
        export_model(Request(folder_of(models.cross(1)), tmp_path, sample), print)
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


def test_sample_of_one_passage_in_disguise_is_flat(models: Any, tmp_path: Path) -> None:
    flat = Sample("flat.jsonl", tuple(f"q{n}" for n in range(8)), ("the same",) * 16)
    with pytest.raises(FlatSample, match=r"flat\.jsonl"):
        export_model(Request(folder_of(models.cross(1)), tmp_path / "out", flat), print)
    assert list(tmp_path.iterdir()) == []


def test_own_maximum_length_is_the_bundles(models: Any, export: Callable[..., Bundle]) -> None:
    bundle = export(models.cross(1), Options(max_tokens=48, name="shorter"))
    assert (bundle.manifest.name, bundle.manifest.max_tokens) == ("shorter", 48)
    pair = Runtime.load(bundle).tokenizer.encode_pairs("query", ["long " * 200])[0]
    assert pair.length == 48


def test_parity_report_is_in_the_manifest(models: Any, export: Callable[..., Bundle]) -> None:
    raw = json.loads((export(models.cross(1)).path / "manifest.json").read_text())
    parity = raw["precisions"]["fp32"]["parity"]
    assert parity["sample"] == "built-in: 12 queries, 32 passages"
    assert parity["score_spread"] > 10 * parity["bound.max_abs_diff"]
    assert parity["min_kendall_tau"] >= parity["bound.min_kendall_tau"]
