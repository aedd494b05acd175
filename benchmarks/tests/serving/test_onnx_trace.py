import pytest

from benchmarks.serving.onnx_trace import BETWEEN, operator_seconds


def kernel(operator: str, microseconds: int) -> dict[str, object]:
    return {
        "cat": "Node",
        "name": f"{operator}_1_kernel_time",
        "dur": microseconds,
        "args": {"op_name": operator},
    }


def test_kernels_are_summed_by_operator_and_the_rest_of_a_run_is_the_engines() -> None:
    run = {"cat": "Session", "name": "model_run", "dur": 1000}
    found = operator_seconds(
        [kernel("MatMul", 500), kernel("Gelu", 200), kernel("MatMul", 100), run]
    )
    assert found == pytest.approx({"MatMul": 6e-4, "Gelu": 2e-4, BETWEEN: 2e-4})


def test_other_events_do_not_count() -> None:
    loading = {"cat": "Session", "name": "session_initialization", "dur": 10**6}
    assert operator_seconds([loading, kernel("MatMul", 500)])["MatMul"] == pytest.approx(5e-4)
