"""The gate bites: a bundle with one thing wrong never passes, and the same bundle right does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from bicross.bundle import Bundle
from bicross.errors import GateFailed
from bicross.runtime.ranking.figures import Swap
from bicross.runtime.ranking.samples import Sample
from onnx_export.gate.measurement import Measurement
from onnx_export.gate.parity import require_parity
from onnx_export.gate.probes import Probes, compute_probes
from onnx_export.gate.proof import prove
from onnx_export.reference.loading import load_reference
from onnx_export.source.hub import ModelFolder
from onnx_export.source.spec import Options, read_spec
from onnx_export.tests import mutations
from onnx_export.tests.mutations import mutated, pooled_by

pytestmark = pytest.mark.torch


class Exported(NamedTuple):
    bundle: Bundle
    probes: Probes


@pytest.fixture(scope="session")
def exported(
    models: Any, export: Callable[..., Bundle], sample: Sample
) -> Callable[[str], Exported]:
    """A tiny model's bundle with the original's numbers, by the model's short name."""
    made: dict[str, Exported] = {}
    options = {"cross of 2": Options(label="1")}
    folders = {
        "bi": lambda: models.embedding("mean"),
        "bi by cls": lambda: models.embedding("cls", dense=True, normalize=False),
        "cross": lambda: models.cross(1),
        "cross of 2": lambda: models.cross(2),
    }

    def once(name: str) -> Exported:
        if name not in made:
            folder, chosen = folders[name](), options.get(name, Options())
            probes = compute_probes(
                load_reference(read_spec(ModelFolder(folder, name), chosen)), sample
            )
            made[name] = Exported(export(folder, chosen), probes)
        return made[name]

    return once


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("bi", {"graph": pooled_by("cls", normalize=True)}),
        ("bi", {"graph": pooled_by("mean", normalize=False)}),
        ("bi", {"manifest": mutations.drop_prompts}),
        ("bi", {"manifest": mutations.drop_query_prompt}),
        ("bi", {"manifest": mutations.halve_maximum}),
        ("cross", {"graph": mutations.zero_type_ids}),
        ("cross", {"manifest": mutations.halve_maximum}),
        ("cross of 2", {"manifest": mutations.other_label}),
    ],
    ids=[
        "pooling swapped",
        "normalisation dropped",
        "prompts dropped",
        "query prompt dropped",
        "maximum length halved, bi-encoder",
        "token_type_ids zeroed",
        "maximum length halved, cross-encoder",
        "the other logit",
    ],
)
def test_gate_refuses_a_bundle_with(
    name: str,
    change: dict[str, Any],
    exported: Callable[[str], Exported],
    tmp_path: Path,
) -> None:
    bundle, probes = exported(name)
    wrong = mutated(bundle, tmp_path / "wrong", **change)
    with pytest.raises(GateFailed, match=r"max_abs_diff is [\d.e+-]+ .*allowed is at most"):
        prove(wrong, probes, print)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("bi", {"graph": pooled_by("mean", normalize=True)}),
        ("bi", {}),
        ("bi by cls", {}),
        ("cross", {}),
        ("cross of 2", {}),
    ],
)
def test_gate_passes_the_same_bundle_when_it_is_right(
    name: str, change: dict[str, Any], exported: Callable[[str], Exported], tmp_path: Path
) -> None:
    bundle, probes = exported(name)
    _, figures = prove(mutated(bundle, tmp_path / "right", **change), probes, print)
    assert float(figures["max_abs_diff"]) <= float(figures["bound.max_abs_diff"])
    assert {f"max_abs_diff.{kind}.{size}" for kind in ("short", "mixed", "maximum")
            for size in (1, 8, 32)} <= figures.keys()  # fmt: skip
    assert "max_abs_diff.mixed.8+long" in figures


def good(**changes: Any) -> Measurement:
    figures: dict[str, Any] = {
        "differences": {("short", "1"): 1e-7, ("maximum", "32"): 2e-7},
        "taus": np.ones(12),
        "overlaps": np.ones(12),
    }
    return Measurement(**(figures | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"differences": {("short", "1"): 0.5}},
            r"max_abs_diff is 0\.5 \(short inputs in batches of 1\)",
        ),
        ({"differences": {("short", "1"): 0.0, ("mixed", "8"): np.nan}}, "max_abs_diff is nan"),
        ({"min_cosine": 0.99}, r"min_cosine is 0\.99, allowed is at least"),
        ({"min_cosine": np.nan}, "min_cosine is nan"),
        ({"taus": np.array([1, 0.5])}, r"min_kendall_tau is 0\.5, allowed is at least"),
        ({"taus": np.array([1, np.nan])}, r"min_kendall_tau is nan"),
        ({"overlaps": np.array([0.9])}, r"min_top10_overlap is 0\.9, allowed is at least 1"),
    ],
)
def test_each_figure_of_an_exact_graph_is_asked_for_and_named(
    changes: dict[str, Any], message: str, exported: Callable[[str], Exported]
) -> None:
    probes = exported("bi").probes
    assert require_parity(good(), probes, "mine, fp32")["max_abs_diff"] == 2e-7
    with pytest.raises(GateFailed, match=f"mine, fp32: {message}"):
        require_parity(good(**changes), probes, "mine, fp32")


# One query of many is bad, or all are a little: floors and means are different questions.
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"taus": np.full(12, 0.89)}, r"mean_kendall_tau\.lower_95 is 0\.89, allowed is at least"),
        ({"taus": np.r_[np.ones(99), 0.5]}, r"min_kendall_tau is 0\.5, allowed"),
        ({"taus": np.r_[np.ones(11), np.nan]}, r"mean_kendall_tau\.lower_95 is nan"),
        ({"overlaps": np.full(12, 0.88)}, r"mean_top10_overlap\.lower_95 is 0\.8"),
        ({"overlaps": np.r_[np.ones(99), 0.5]}, r"min_top10_overlap is 0\.5, allowed"),
        ({"min_cosine": 0.9}, r"min_cosine is 0\.9, allowed is at least"),
    ],
)
def test_each_figure_of_a_quantized_graph_is_asked_for_and_named(
    changes: dict[str, Any], message: str, exported: Callable[[str], Exported]
) -> None:
    probes = exported("bi").probes
    fair = good(taus=np.full(12, 0.95), overlaps=np.full(12, 0.95), min_cosine=0.99)
    figures = require_parity(fair, probes, "mine, int8", "quantized")
    assert figures["mean_kendall_tau.lower_95"] == pytest.approx(0.95)
    with pytest.raises(GateFailed, match=f"mine, int8: {message}"):
        require_parity(good(**changes), probes, "mine, int8", "quantized")


def test_few_queries_must_agree_better_than_many(exported: Callable[[str], Exported]) -> None:
    probes = exported("bi").probes
    many = good(overlaps=np.tile([0.8, 1.0], 50))
    assert require_parity(many, probes, "mine, int8", "quantized")
    few = good(overlaps=np.tile([0.8, 1.0], 2))
    with pytest.raises(GateFailed, match=r"mean_top10_overlap\.lower_95"):
        require_parity(few, probes, "mine, int8", "quantized")


def test_worst_case_is_told_with_its_texts_and_kept_by_their_numbers(
    exported: Callable[[str], Exported],
) -> None:
    probes = exported("bi").probes
    swap = Swap(query=2, higher=3, lower=5, reference=(0.9, 0.2), ours=(0.3, 0.4))
    figures = require_parity(good(swap=swap), probes, "mine, fp32")
    assert (figures["swap.query"], figures["swap.higher"], figures["swap.lower"]) == (2, 3, 5)
    assert figures["swap.reference_gap"] == pytest.approx(0.7)
    with pytest.raises(GateFailed) as refused:
        require_parity(good(swap=swap, min_cosine=0.5), probes, "mine, fp32")
    texts = (probes.sample.queries[2], probes.sample.passages[3], probes.sample.passages[5])
    assert all(text[:100] in refused.value.case for text in texts)
    assert "0.9 in torch, 0.3 here" in refused.value.case
    assert not any(text[:20] in str(refused.value) for text in texts)


def test_what_a_text_s_batch_moves_is_measured_against_the_text_alone() -> None:
    measured = good()
    alone = np.array([[0.5, 0.5], [1.0, 0.0]], np.float32)
    measured.add_company(alone, alone)
    assert measured.moved_by_batch == 0
    measured.add_company(np.array([[0.5, 0.75]], np.float32), alone)
    measured.add_company(alone + np.float32(0.125), alone)
    assert measured.moved_by_batch == 0.25
    measured.add_company(alone * np.float32(np.nan), alone)
    assert np.isnan(measured.moved_by_batch)


def test_float32_does_not_move_with_its_batch(exported: Callable[[str], Exported]) -> None:
    for name in ("bi", "cross"):
        record = exported(name).bundle.manifest.precisions["fp32"]
        assert record.moved_by_batch is not None
        assert record.moved_by_batch <= exported(name).probes.tolerance.value
