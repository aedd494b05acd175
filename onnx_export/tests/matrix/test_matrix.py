import pytest

from bicross.runtime.ranking.samples import Sample
from onnx_export.tests.matrix.proving import MIN_COSINE, MIN_SPREAD, prove_row, small_sample
from onnx_export.tests.matrix.row import Row
from onnx_export.tests.matrix.rows import ROWS
from onnx_export.tests.matrix.workshop import Workshop

pytestmark = pytest.mark.torch


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("matrix"))


@pytest.fixture(scope="session")
def few_texts() -> Sample:
    return small_sample()


def test_each_row_has_an_id_of_its_own() -> None:
    assert len({row.id for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", [row for row in ROWS if row.is_daily], ids=lambda row: row.id)
def test_bundle_computes_and_ranks_as_the_original(
    row: Row, workshop: Workshop, few_texts: Sample
) -> None:
    found = prove_row(row, workshop, few_texts).agreements["fp32"]
    assert found.spread >= MIN_SPREAD
    assert found.min_cosine >= MIN_COSINE
    assert found.is_same_order
