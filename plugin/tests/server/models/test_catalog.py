"""A model is found by its name, or by its name and enough of its digest."""

import logging
from dataclasses import replace

import pytest

from bicross.bundle import Bundle
from bicross.bundle.matrix import Matrix
from bicross.errors import ModelNotFound, NotReady, UsageError, WrongTask
from bicross.runtime import BiEncoder, CrossEncoder
from bicross.server.models.catalog import Catalog
from bicross.server.telemetry.metrics import Metrics


def variant(bundle: Bundle, digest: str) -> Bundle:
    """The same name with another digest."""
    return replace(bundle, manifest=bundle.manifest.model_copy(update={"digest": digest}))


@pytest.fixture
def twins(bi_bundle: Bundle) -> Catalog:
    """Two bundles of one name; their digests part at the ninth digit."""
    return Catalog([variant(bi_bundle, "abcdef12" + tail * 56) for tail in "12"])


def test_name_finds_its_model(loaded_catalog: Catalog) -> None:
    assert loaded_catalog.find("tiny-bi", "text_embedding").manifest.name == "tiny-bi"


@pytest.mark.parametrize("digits", [6, 12, 64])
def test_name_with_digits_of_its_digest_finds_its_model(
    digits: int, loaded_catalog: Catalog, bi_bundle: Bundle
) -> None:
    model_id = f"tiny-bi@{bi_bundle.manifest.digest[:digits]}"
    assert loaded_catalog.find(model_id, "text_embedding").bundle is bi_bundle


@pytest.mark.parametrize(
    "model_id",
    ["e5", "tiny-bi@", "tiny-bi@000000", "tiny-bi@00000", "tiny-bi@xyzxyz", "@000000", "tiny"],
)
def test_unknown_name_or_digest_is_refused_with_what_is_served(
    model_id: str, loaded_catalog: Catalog
) -> None:
    with pytest.raises(ModelNotFound, match="served are: tiny-bi, tiny-cross") as caught:
        loaded_catalog.find(model_id, "text_embedding")
    assert caught.value.param == "model"


def test_name_in_a_message_stays_on_one_line_and_is_cut(loaded_catalog: Catalog) -> None:
    with pytest.raises(ModelNotFound) as caught:
        loaded_catalog.find("a\nFAKE LOG LINE" + "x" * 1000, "rerank")
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 250


def test_model_of_another_task_is_refused(loaded_catalog: Catalog) -> None:
    with pytest.raises(WrongTask, match="tiny-cross is for rerank"):
        loaded_catalog.find("tiny-cross", "text_embedding")


def test_bare_name_means_the_bundle_given_first(twins: Catalog) -> None:
    assert twins.find("tiny-bi", "text_embedding") is twins.models[0]


def test_digest_tells_bundles_of_one_name_apart(twins: Catalog) -> None:
    assert twins.find("tiny-bi@abcdef122", "text_embedding") is twins.models[1]


def test_digits_that_fit_two_bundles_are_refused_with_both(twins: Catalog) -> None:
    with pytest.raises(ModelNotFound, match="tiny-bi@abcdef121111, tiny-bi@abcdef122222"):
        twins.find("tiny-bi@abcdef12", "text_embedding")


def test_second_bundle_of_a_name_is_listed_with_its_digest(twins: Catalog) -> None:
    assert twins.ids() == ["tiny-bi", "tiny-bi@abcdef122222"]


def test_same_bundle_twice_is_refused(bi_bundle: Bundle) -> None:
    with pytest.raises(UsageError, match="given twice: tiny-bi@"):
        Catalog([bi_bundle, bi_bundle])


def test_precision_that_a_bundle_lacks_is_refused_with_those_it_has(bi_bundle: Bundle) -> None:
    with pytest.raises(UsageError, match="bundle tiny-bi has no precision 'int8'; it has fp32"):
        Catalog([bi_bundle], "int8")


def test_hint_to_another_engine_is_neither_chosen_nor_taken(bi_bundle: Bundle) -> None:
    record = bi_bundle.manifest.precisions["fp32"]
    precisions = {"bf16": record.model_copy(update={"hint": "bf16"}), "int8": record}
    bundle = replace(
        bi_bundle, manifest=bi_bundle.manifest.model_copy(update={"precisions": precisions})
    )
    assert Catalog([bundle]).models[0].precision == "int8"
    with pytest.raises(UsageError, match=r"'bf16' is a hint to another engine.*it runs int8"):
        Catalog([bundle], "bf16")


def test_one_of_several_precisions_must_be_chosen_where_none_is_fp32(bi_bundle: Bundle) -> None:
    record = bi_bundle.manifest.precisions["fp32"]
    precisions = {"fp16": record, "int8": record}
    manifest = bi_bundle.manifest.model_copy(update={"precisions": precisions})
    with pytest.raises(UsageError, match="has fp16, int8; choose one with --precision"):
        Catalog([replace(bi_bundle, manifest=manifest)])


def test_only_precision_is_taken_where_there_is_no_fp32(bi_bundle: Bundle) -> None:
    record = bi_bundle.manifest.precisions["fp32"]
    manifest = bi_bundle.manifest.model_copy(update={"precisions": {"int8": record}})
    assert Catalog([replace(bi_bundle, manifest=manifest)]).models[0].precision == "int8"


def test_model_is_not_ready_before_it_is_loaded(bi_bundle: Bundle) -> None:
    model = Catalog([bi_bundle]).find("tiny-bi", "text_embedding")
    assert not model.ready
    with pytest.raises(NotReady, match="loading, or has failed its self-test"):
        model.require_encoder()


def test_encoder_is_given_as_the_kind_that_the_task_says(loaded_catalog: Catalog) -> None:
    model = loaded_catalog.find("tiny-bi", "text_embedding")
    assert model.require(BiEncoder) is model.encoder
    with pytest.raises(TypeError, match="has no CrossEncoder"):
        model.require(CrossEncoder)


def test_model_that_fails_its_goldens_is_logged_and_the_others_serve(
    bi_bundle: Bundle, cross_bundle: Bundle, caplog: pytest.LogCaptureFixture
) -> None:
    zeros = Matrix.of([[0.0] * 16] * 8)
    goldens = cross_bundle.goldens.model_copy(update={"scores": zeros})
    catalog, metrics = Catalog([replace(cross_bundle, goldens=goldens), bi_bundle]), Metrics()
    with caplog.at_level(logging.ERROR):
        catalog.load(1, metrics)
    assert [model.ready for model in catalog.models] == [False, True]
    assert not catalog.ready
    assert "golden outputs differ" in caplog.text
    for model in catalog.models:
        labels = {"model": model.label}
        gauge = metrics.registry.get_sample_value("bicross_model_ready", labels)
        assert gauge == float(model.ready)


def test_model_is_unready_after_three_failed_runs_in_a_row(bi_bundle: Bundle) -> None:
    catalog = Catalog([bi_bundle])
    catalog.load(1, Metrics())
    model = catalog.models[0]
    model.failures_in_a_row = 2
    assert model.ready
    model.failures_in_a_row = 3
    assert not model.ready
