from collections.abc import Callable
from pathlib import Path

import pytest
import sentence_transformers
from sentence_transformers.base.modules import Normalize, Router, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling, StaticEmbedding

from bicross.bundle import Bundle
from bicross.runtime.ranking.samples import Sample
from onnx_export.gate.regate import run_gate_again
from onnx_export.source.hub import ModelFolder
from onnx_export.source.spec import Options
from onnx_export.tests.tiny_models import HIDDEN, TinyModels

pytestmark = pytest.mark.torch


def test_each_side_is_cut_where_the_bundle_cuts_it(
    models: TinyModels,
    export: Callable[..., Bundle],
    sample: Sample,
    narrate: Callable[[str], None],
    tmp_path: Path,
) -> None:
    """A static embedding takes queries of any length beside a transformer that does not; the bundle
    holds fewer dimensions than the model.
    """
    base = str(models.embedding("mean"))
    pieces = models.tokenizer.backend_tokenizer
    sides = {
        "query": [StaticEmbedding(pieces, embedding_dim=HIDDEN)],
        "document": [Transformer(base), Pooling(HIDDEN, "mean")],
    }
    model = sentence_transformers.SentenceTransformer(
        modules=[Router(sides), Normalize()], device="cpu"
    )
    folder = tmp_path / "router"
    model.save(str(folder), create_model_card=False)
    bundle = export(folder, Options(dimensions=24))
    assert bundle.manifest.sequences is not None
    assert bundle.manifest.sequences["query"].max_tokens != bundle.manifest.max_tokens
    figures = run_gate_again(bundle, ModelFolder(folder, folder.name), sample, narrate)
    assert float(figures["max_abs_diff"]) < 1e-5
