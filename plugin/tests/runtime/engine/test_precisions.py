"""A hint is a precision only for an engine that takes hints."""

from dataclasses import replace

import pytest

from bicross.bundle import Bound, Bundle, Manifest
from bicross.errors import InvalidManifest, UsageError
from bicross.runtime import require_precision, runnable_precisions
from bicross.runtime.self_test import golden_bound


def with_precisions(manifest: Manifest, *names: str) -> Manifest:
    record = manifest.precisions["fp32"]
    hinted = record.model_copy(update={"hint": "bf16"})
    precisions = {name: hinted if name == "bf16" else record for name in names}
    return manifest.model_copy(update={"precisions": precisions})


def test_onnxruntime_runs_files_and_openvino_hints_too(bi_bundle: Bundle) -> None:
    manifest = with_precisions(bi_bundle.manifest, "fp32", "bf16", "int8")
    assert runnable_precisions(manifest) == ["fp32", "int8"]
    assert runnable_precisions(manifest, "openvino") == ["bf16", "fp32", "int8"]


def test_hint_that_the_manifest_does_not_list_is_one_on_float32_s_file(bi_bundle: Bundle) -> None:
    record = require_precision(bi_bundle.manifest, "bf16", "openvino")
    assert (record.file, record.hint) == ("onnx/model.onnx", "bf16")
    assert record.parity == "not measured"


def test_hint_needs_a_float32_graph(bi_bundle: Bundle) -> None:
    manifest = with_precisions(bi_bundle.manifest, "int8")
    assert runnable_precisions(manifest, "openvino") == ["int8"]
    with pytest.raises(UsageError, match="no precision 'bf16'; it has int8"):
        require_precision(manifest, "bf16", "openvino")


def test_hint_is_refused_by_an_engine_without_one(bi_bundle: Bundle) -> None:
    manifest = with_precisions(bi_bundle.manifest, "fp32", "bf16")
    with pytest.raises(UsageError, match="onnxruntime has no such hint; it runs fp32"):
        require_precision(manifest, "bf16")


def test_bound_of_goldens_stands_before_the_hint_s_own(bi_bundle: Bundle) -> None:
    own = Bound(max_abs_diff=0.5, min_tau=0.2)
    bounds = {**bi_bundle.goldens.bounds, "bf16": own}
    goldens = bi_bundle.goldens.model_copy(update={"bounds": bounds})
    assert golden_bound(replace(bi_bundle, goldens=goldens), "bf16") == own


@pytest.mark.parametrize(
    "name", ["bi_bundle", "cross_bundle", "sparse_bundle", "late_bundle", "decoder_bundle"]
)
def test_hint_without_a_bound_may_lose_a_sixteenth_of_the_largest_number(
    name: str, request: pytest.FixtureRequest
) -> None:
    bundle: Bundle = request.getfixturevalue(name)
    bound = golden_bound(bundle, "bf16")
    assert bound.min_tau == 0.95
    assert bound.max_abs_diff > bundle.goldens.bounds["fp32"].max_abs_diff
    if name in {"bi_bundle", "late_bundle"}:
        assert bound.max_abs_diff <= 1 / 16


def test_other_precision_without_a_bound_has_none(bi_bundle: Bundle) -> None:
    with pytest.raises(InvalidManifest, match="no bound for precision int8"):
        golden_bound(bi_bundle, "int8")
