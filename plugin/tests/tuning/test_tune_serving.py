"""Real engines on tiny bundles, from the command to what the server is started with."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from bicross.bundle import Bundle
from bicross.cli import app
from bicross.runtime import BiEncoder, LateInteractionEncoder, SparseEncoder
from bicross.runtime.ranking.samples import read_sample
from bicross.server.models.catalog import Catalog
from bicross.server.models.tuned import apply_tuning
from bicross.server.settings import Settings
from bicross.tuning.gate import Answers, answer, compare


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.parametrize("name", ["bi_bundle", "cross_bundle", "sparse_bundle", "late_bundle"])
def test_the_server_runs_what_was_measured(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    bundle: Bundle = request.getfixturevalue(name)
    config = tmp_path / "bicross.toml"
    command = ["tune-serving", str(bundle.path), "--config", str(config), "--json"]
    first = CliRunner().invoke(app, command)
    assert first.exit_code == 0, first.output
    found = json.loads(first.stdout)
    chosen = found["chosen"]
    assert {row["pair"]["engine"] for row in found["rows"]} >= {"onnxruntime"}

    second = CliRunner().invoke(app, command)
    assert json.loads(second.stdout) == found
    assert "measured before" in second.stderr

    settings, executions = apply_tuning([bundle], Settings.read(), config)
    (execution,) = executions
    assert execution is not None
    assert (execution.engine, execution.precision) == tuple(chosen["pair"].values())
    assert execution.spare
    assert settings.batch_tokens == chosen["setting"]["batch_tokens"]
    assert settings.streams == execution.streams == chosen["setting"]["streams"]
    (model,) = Catalog([bundle], None, executions).models
    model.load(None)
    assert model.require_encoder().execution == execution

    told, (execution,) = apply_tuning(
        [bundle], Settings.read(batch_tokens=777, streams=3, threads=3), config
    )
    assert execution is not None
    assert (told.batch_tokens, told.streams, execution.streams) == (777, 3, 3)
    assert execution.threads == 3


def test_no_write_leaves_the_file(bi_bundle: Bundle, tmp_path: Path) -> None:
    config = tmp_path / "bicross.toml"
    command = ["tune-serving", str(bi_bundle.path), "--config", str(config), "--no-write"]
    assert CliRunner().invoke(app, command).exit_code == 0
    assert not config.exists()


def test_a_sparse_bundle_is_judged_by_the_products_of_its_weights(
    sparse_encoder: SparseEncoder,
) -> None:
    sample = read_sample()
    found = answer(sparse_encoder, sample)
    assert found.vectors is None
    assert found.scores.shape == (len(sample.queries), len(sample.passages))
    (query,) = sparse_encoder.encode(sample.queries[:1], "query")
    (passage,) = sparse_encoder.encode(sample.passages[:1], "passage")
    shared = query.as_dict().keys() & passage.as_dict().keys()
    product = sum(query.as_dict()[token] * passage.as_dict()[token] for token in shared)
    assert found.scores[0, 0] == pytest.approx(product, abs=1e-4)
    assert not compare(found, found, "int8").reason


def test_a_late_interaction_bundle_is_judged_by_its_maxsim(
    late_encoder: LateInteractionEncoder,
) -> None:
    sample = read_sample()
    found = answer(late_encoder, sample)
    assert found.vectors is None
    (query,) = late_encoder.encode(sample.queries[:1], "query")
    (passage,) = late_encoder.encode(sample.passages[:1], "passage")
    best = (query @ passage.T).max(axis=1).sum()
    assert found.scores[0, 0] == pytest.approx(best, abs=1e-4)
    assert not compare(found, found, "int8").reason


def test_another_order_is_refused_and_says_why(bi_encoder: BiEncoder) -> None:
    reference = answer(bi_encoder, read_sample())
    assert not compare(reference, reference, "int8").reason
    turned = Answers(-reference.scores, reference.vectors)
    assert "mean Kendall tau, lower 95 % -1" in compare(turned, reference, "int8").reason
    broken = Answers(np.full_like(reference.scores, np.nan), reference.vectors)
    assert compare(broken, reference, "int8").reason
