import pytest

benchmark = pytest.importorskip(
    "benchmarks.export_precisions", reason="needs torch and onnx", exc_type=ImportError
)
BASIS = {"mine": {"q1": 0.25, "q2": 0.75}}


def row(name: str, *, passes: bool) -> object:
    found = {"ndcg@10": 0.49, "difference": -0.01, "low": -0.02, "high": 0.001}
    figures = (58.9, 0.98, 0.9, 0.85, 0.95, 0.03, 1.5)
    return benchmark.Row(
        name, 4, passes, "" if passes else "too low", *figures, ndcg={"mine": found}
    )


def test_table_has_float32_and_each_variant_with_its_verdict_and_interval() -> None:
    head, rule, plain, first, second = benchmark.table(
        [row("int8", passes=False), row("int8", passes=True)], BASIS
    ).splitlines()
    assert head.count("|") == rule.count("|") == plain.count("|") == first.count("|")
    assert plain.endswith("| 0.5000 |")
    assert first.startswith("| int8 | 4 | refuses | 59 | 0.9800 | 0.9000 | 0.8500 | 0.950 |")
    assert second.endswith("| 1.50 | 0.4900 (-0.0100, -0.0200 to +0.0010) |")
