import json
from pathlib import Path

from benchmarks.serving.results import Column, cells, rounded, write


def test_a_cell_takes_its_columns_form() -> None:
    assert cells(
        {"rate": 1234.5, "name": "a"}, [Column("", "name"), Column("", "rate", ",.0f")]
    ) == [
        "a",
        "1,234",
    ]


def test_a_nested_figure_is_reached_by_dots() -> None:
    assert cells({"bulk": {"p99": 2.0}}, [Column("", "bulk.p99", ".1f")]) == ["2.0"]


def test_what_was_not_measured_is_a_dash() -> None:
    columns = [Column("", "a", ".1f"), Column("", "b.c", ".1f")]
    assert cells({"a": None, "b": None}, columns) == ["-", "-"]


def test_floats_keep_five_digits_and_other_values_themselves() -> None:
    assert rounded({"a": [0.123456789, 3], "b": "x", "c": None}) == {
        "a": [0.12346, 3],
        "b": "x",
        "c": None,
    }


def test_results_are_read_back_as_they_were(tmp_path: Path) -> None:
    file = write("a", {"rows": [{"x": 1.5}]}, tmp_path / "new")
    assert json.loads(file.read_text()) == {"rows": [{"x": 1.5}]}
