from onnx_export.tests.matrix import page
from onnx_export.tests.matrix.results import MatrixResult
from onnx_export.tests.matrix.rows import ROWS


def test_record_holds_exactly_the_rows_of_the_matrix() -> None:
    recorded = MatrixResult.read().rows
    assert list(recorded) == [row.id for row in ROWS]
    assert {key: (row.architecture, row.head) for key, row in recorded.items()} == {
        row.id: (row.architecture, row.head) for row in ROWS
    }


def test_page_is_what_the_record_says() -> None:
    assert page.PAGE.read_text() == page.render(MatrixResult.read())


def test_every_recorded_row_was_proven() -> None:
    failed = {key: row.failure for key, row in MatrixResult.read().rows.items() if row.failure}
    assert failed == {}
