"""A tuning holds for the machine and the bundle that it was made on."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bicross.tuning.choice import Pair, Setting
from bicross.tuning.machine import describe_machine, fingerprint
from bicross.tuning.record import Row, Tuning, cache_file, load, save

ROW = Row(Pair("openvino", "fp32"), Setting(2, 2, 1024, 16), 100.0, 0.5)
TUNING = Tuning("m", "ab" * 32, "built-in@1", [ROW], ROW, 90.0)


def test_what_was_kept_is_found_again(tmp_path: Path) -> None:
    file = tmp_path / "new" / "tuning.json"
    save(file, TUNING)
    assert load(file, TUNING.digest) == TUNING
    assert load(file, "cd" * 32) is None
    assert TUNING.setting_of(ROW.pair) == ROW.setting
    assert TUNING.setting_of(Pair("onnxruntime", "fp32")) is None


def test_what_cannot_be_read_is_measured_anew(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('{"model": 1')
    assert load(tmp_path / "broken.json", TUNING.digest) is None
    assert load(tmp_path / "missing.json", TUNING.digest) is None


@given(st.sampled_from(sorted(describe_machine())))
def test_any_change_of_the_machine_is_another_machine(key: str) -> None:
    here = describe_machine()
    changed = here | {key: here[key] + "x"}
    assert fingerprint(here) == fingerprint(describe_machine())
    assert cache_file(TUNING.digest, here) != cache_file(TUNING.digest, changed)
    assert cache_file("cd" * 32, here) != cache_file(TUNING.digest, here)


def test_flags_count_in_any_order(tmp_path: Path) -> None:
    for name, flags in (("a", "avx2 fma"), ("b", "fma avx2")):
        (tmp_path / name).write_text(f"model name\t: CPU\nflags\t\t: {flags}\n")
    assert describe_machine(tmp_path / "a") == describe_machine(tmp_path / "b")
    assert describe_machine(tmp_path / "a")["model name"] == "CPU"
