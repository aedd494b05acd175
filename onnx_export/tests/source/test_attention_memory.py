import pytest
from hypothesis import given
from hypothesis import strategies as st

from bicross.errors import UsageError
from onnx_export.source.attention_memory import free_memory_bytes, require_attention_memory

GIGABYTE = 1 << 30


def test_long_sequence_of_a_decoder_is_refused_with_a_length_that_fits() -> None:
    config = {"num_attention_heads": 16}
    with pytest.raises(UsageError, match=r"32768 tokens takes about 206 GB.*--max-tokens") as told:
        require_attention_memory("qwen", config, 32_768, 16 * GIGABYTE)
    fitting = int(str(told.value).rpartition(" ")[2])
    require_attention_memory("qwen", config, fitting, 16 * GIGABYTE)


@given(st.integers(1, 128), st.integers(2, 1 << 20), st.integers(1 << 20, 1 << 40))
def test_length_that_is_named_is_the_longest_that_fits(heads: int, tokens: int, free: int) -> None:
    config = {"n_heads": heads}
    try:
        require_attention_memory("model", config, tokens, free)
    except UsageError as error:
        fitting = int(str(error).rpartition(" ")[2])
        assert fitting < tokens
        require_attention_memory("model", config, fitting, free)
        with pytest.raises(UsageError):
            require_attention_memory("model", config, fitting + 1, free)


@pytest.mark.parametrize(
    ("config", "free"), [({}, GIGABYTE), ({"num_heads": 16}, None)], ids=["heads", "memory"]
)
def test_what_is_not_known_is_not_refused(config: dict[str, int], free: int | None) -> None:
    require_attention_memory("model", config, 1 << 20, free)


def test_this_machine_says_what_is_free() -> None:
    found = free_memory_bytes()
    assert found is not None
    assert found > 0
