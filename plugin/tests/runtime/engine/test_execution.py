"""What an execution admits, and how wide it makes a batch."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.errors import UsageError
from bicross.runtime import Execution, available_threads


@pytest.mark.parametrize("field", ["threads", "streams", "pad_to"])
def test_count_below_one_is_refused_by_its_name(field: str) -> None:
    counts: dict[str, Any] = {field: 0}
    with pytest.raises(UsageError, match=f"{field} is 0; it must be 1 or more"):
        Execution(**counts)


def test_threads_are_those_available_unless_given() -> None:
    assert Execution().all_threads == available_threads()
    assert Execution(threads=3).all_threads == 3


def test_each_stream_has_a_thread() -> None:
    assert Execution(threads=1, streams=4).all_threads == 4


@given(longest=st.integers(1, 512), most=st.integers(1, 512), step=st.integers(1, 64))
def test_width_is_a_multiple_unless_the_model_takes_no_more(
    longest: int, most: int, step: int
) -> None:
    width = Execution(pad_to=step).width(longest, max(longest, most))
    assert longest <= width < longest + step
    assert width % step == 0 or width == max(longest, most)
