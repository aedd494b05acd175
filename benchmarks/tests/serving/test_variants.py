from collections.abc import Iterable

from benchmarks.serving.variants import BASELINE, BF16, VARIANTS, Variant, choose


def names(chosen: Iterable[Variant]) -> set[str]:
    return {variant.name for variant in chosen}


def test_names_are_unique() -> None:
    assert len(names(VARIANTS)) == len(VARIANTS)


def test_a_precision_that_the_cpu_emulates_is_left_out_and_said_so() -> None:
    chosen, left_out = choose([], {"avx2"})
    assert "torch bf16" not in names(chosen)
    assert left_out["torch bf16"] == "this CPU has none of amx_bf16, avx512_bf16"


def test_one_such_flag_is_enough() -> None:
    chosen, _ = choose([], {"amx_bf16"})
    assert "torch bf16" in names(chosen)


def test_a_variant_asked_for_by_name_is_measured_whatever_the_cpu_can() -> None:
    chosen, _ = choose(["torch bf16"], set())
    assert names(chosen) == {BASELINE, "torch bf16"}


def test_the_same_computation_is_not_needed_by_flags_of_its_own() -> None:
    assert all(variant.needs in (frozenset(), BF16) for variant in VARIANTS)
