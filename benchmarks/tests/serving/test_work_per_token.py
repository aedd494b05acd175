import pytest

from benchmarks.serving.work_per_token import Shape, flops

MINILM = Shape(layers=6, hidden=384, intermediate=1536)


def test_a_token_of_minilm_costs_21_million_operations_beside_attention() -> None:
    weights = 6 * (4 * 384 * 384 + 2 * 384 * 1536)
    attention = 6 * 2 * 384
    assert flops(MINILM, [1]) == 2 * (weights + attention)


def test_attention_grows_with_the_square_of_the_length() -> None:
    linear = flops(MINILM, [1]) - 2 * 6 * 2 * 384
    assert flops(MINILM, [100]) == pytest.approx(100 * linear + 100 * 100 * 2 * 6 * 2 * 384)
