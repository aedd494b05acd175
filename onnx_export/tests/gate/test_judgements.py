"""nDCG@10 of precisions on a small judged collection, made of the sample's own texts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from bicross.bundle import Bundle
from bicross.errors import DocumentsFailed, GateFailed
from bicross.runtime import BiEncoder, CrossEncoder, load_encoder
from bicross.runtime.ranking.samples import Sample
from onnx_export.gate import judged as judged_module
from onnx_export.gate.judged import MAX_JUDGED, POOL, read_judged
from onnx_export.gate.judgements import Judge, ndcg, similarities
from onnx_export.tests.mutations import mutated, pooled_by

pytestmark = pytest.mark.torch


class Texts(NamedTuple):
    queries: dict[str, str]
    documents: dict[str, str]
    grades: dict[str, dict[str, int]]


def write(folder: Path, texts: Texts) -> Path:
    (folder / "qrels").mkdir(parents=True)
    rows = [{"_id": key, "title": "", "text": text} for key, text in texts.documents.items()]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    rows = [{"_id": key, "text": text} for key, text in texts.queries.items()]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    lines = ["query-id\tcorpus-id\tscore"]
    for query, grades in texts.grades.items():
        lines += [f"{query}\t{document}\t{grade}" for document, grade in grades.items()]
    (folder / "qrels" / "test.tsv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def judge_by(sample: Sample, tmp_path: Path) -> Callable[[Bundle], Path]:
    """A collection on which `bundle` itself is right: its three best passages are relevant."""

    def make(bundle: Bundle) -> Path:
        scores = _scores(bundle, sample)
        best = {f"q{row}": np.argsort(-line)[:3] for row, line in enumerate(scores)}
        return write(
            tmp_path / "judged",
            Texts(
                {f"q{row}": text for row, text in enumerate(sample.queries)},
                {f"d{row}": text for row, text in enumerate(sample.passages)},
                {query: {f"d{row}": 1 for row in rows} for query, rows in best.items()},
            ),
        )

    return make


def _scores(bundle: Bundle, sample: Sample) -> np.ndarray:
    if bundle.manifest.rerank:
        cross = CrossEncoder.load(bundle)
        return np.array([cross.score(query, sample.passages) for query in sample.queries])
    bi = BiEncoder.load(bundle)
    passages = bi.encode(sample.passages, "passage")
    return np.asarray(bi.encode(sample.queries, "query") @ passages.T)


def test_a_graph_that_agrees_with_the_judgements_has_ndcg_1(
    models: Any, export: Callable[..., Bundle], judge_by: Callable[[Bundle], Path]
) -> None:
    for folder in (models.embedding("mean"), models.cross(1)):
        bundle = export(folder)
        path = judge_by(bundle)
        values = ndcg(load_encoder(bundle), read_judged(path, bundle.manifest.task))
        assert set(values.values()) == {1.0}
        path.rename(path.with_name(folder.name))


def test_a_precision_that_surely_ranks_worse_is_refused_with_its_interval(
    models: Any,
    export: Callable[..., Bundle],
    judge_by: Callable[[Bundle], Path],
    tmp_path: Path,
) -> None:
    bundle = export(models.embedding("mean"))
    judge = Judge.of(judge_by(bundle), load_encoder(bundle), print)
    assert judge.basis_figures["ndcg@10"] == 1.0
    same = judge.figures(load_encoder(bundle), print)
    assert (same["ndcg@10.difference"], same["ndcg@10.difference.low_95"]) == (0.0, 0.0)
    other = mutated(bundle, tmp_path / "worse", graph=pooled_by("cls", normalize=True))
    with pytest.raises(GateFailed, match=r"nDCG@10 on judged: .* beside fp32 \(95% interval -"):
        judge.figures(load_encoder(other), print)


def test_documents_that_are_not_there_are_refused(
    judge_by: Callable[[Bundle], Path], models: Any, export: Callable[..., Bundle]
) -> None:
    path = judge_by(export(models.embedding("mean")))
    with (path / "qrels" / "test.tsv").open("a") as file:
        file.write("q0\tabsent\t1\n")
    with pytest.raises(DocumentsFailed, match="1 name no document"):
        read_judged(path, "text_embedding")


def large(tmp_path: Path, documents: int, judged: int) -> Path:
    texts = {f"d{row}": f"text {row}" for row in range(documents)}
    grades = {f"d{row}": int(row < 3) for row in range(judged)}
    return write(tmp_path / "large", Texts({"q": "a query"}, texts, {"q": grades}))


def test_large_collection_keeps_the_judged_documents_and_says_what_was_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judged_module, "MAX_PASSAGES", 20)
    found = read_judged(large(tmp_path, 100, 5), "text_embedding")
    assert len(found.passages) == 20
    assert {f"d{row}" for row in range(5)} <= found.passages.keys()
    assert str(found) == "large: 1 queries, exact search among 20 of 100 documents"


def test_pool_holds_relevant_documents_first_and_others_beside_them(tmp_path: Path) -> None:
    found = read_judged(large(tmp_path, 200, 60), "rerank")
    pool = found.candidates["q"]
    assert len(pool) == POOL
    assert len(found.qrels["q"]) == MAX_JUDGED
    assert {"d0", "d1", "d2"} <= found.qrels["q"].keys() <= set(pool)
    strangers = set(pool) - found.qrels["q"].keys()
    assert not strangers & {f"d{row}" for row in range(60)}
    assert set(pool) == found.passages.keys()
    assert read_judged(tmp_path / "large", "rerank") == found


@pytest.mark.parametrize("similarity", ["cosine", "dot_product", "l2_norm"])
def test_vectors_are_compared_as_the_head_says(similarity: Any, export: Any, models: Any) -> None:
    head = export(models.embedding("mean")).manifest.embedding
    head = head.model_copy(update={"similarity": similarity})
    random = np.random.default_rng(2)
    queries = random.normal(size=(3, 8)).astype(np.float32)
    passages = random.normal(size=(9, 8)).astype(np.float32)
    expected = {
        "cosine": queries
        @ passages.T
        / np.outer(np.linalg.norm(queries, axis=1), np.linalg.norm(passages, axis=1)),
        "dot_product": queries @ passages.T,
        "l2_norm": -np.linalg.norm(queries[:, None] - passages[None], axis=2),
    }[similarity]
    found = similarities(queries, passages, head)
    assert (np.argsort(found, axis=1) == np.argsort(expected, axis=1)).all()
