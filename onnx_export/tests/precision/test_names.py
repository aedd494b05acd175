import pytest

from bicross.errors import UsageError
from onnx_export.precision.names import PRECISIONS, read_precisions
from onnx_export.precision.trials import METHODS


def test_precisions_are_read_once_each_and_fp32_is_there_anyway() -> None:
    assert read_precisions(["int8", "fp32", "fp16", "int8"]) == ("int8", "fp16")
    assert read_precisions([]) == ()


def test_unknown_precision_is_refused_with_those_that_are_allowed() -> None:
    allowed = "fp32, fp16, bf16, int8, int8_static, int8_weight, int4_weight"
    with pytest.raises(UsageError, match=f"--precision int3 is unknown; allowed are {allowed}"):
        read_precisions(["int8", "int3"])


def test_each_precision_is_a_hint_or_has_a_method() -> None:
    hints = {name for name, precision in PRECISIONS.items() if precision.hint}
    assert hints | METHODS.keys() == PRECISIONS.keys()
    assert not hints & METHODS.keys()
