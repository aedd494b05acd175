"""A tuning is read in a terminal of the usual width, nothing of it cut."""

from io import StringIO

from rich.console import Console

from bicross.tuning.choice import Pair, Setting
from bicross.tuning.display import print_tuning
from bicross.tuning.gate import Agreement
from bicross.tuning.record import Row, Tuning

WIDE = Setting(streams=16, threads=64, batch_tokens=4096, pad_to=32)
FOUND = Agreement(0.99761, 1.0, 0.997, 1.0, 0.99, 1.0, 0.999971)
FASTEST = Row(Pair("openvino", "bf16"), WIDE, 140_250.0, 1.0, FOUND)
ROWS = [
    Row(Pair("onnxruntime", "fp32"), WIDE, 100_000.0, 1.4),
    FASTEST,
    Row(Pair("onnxruntime-tensorrt", "fp16"), Setting(), reason="no such GPU"),
]


def shown(rows: list[Row]) -> str:
    out = StringIO()
    machine = {"model name": "AMD EPYC", "cores": "64"}
    tuning = Tuning("minilm", "d", "s", rows, FASTEST, 100_000.0, machine)
    print_tuning(Console(file=out, width=80), tuning)
    return out.getvalue()


def test_every_figure_is_whole() -> None:
    table = shown(ROWS)
    for figure in ("16 x 64", "4096", "32", "140,250", "1.40", "0.998", "0.99997 chosen"):
        assert figure in table
    assert "…" not in table


def test_the_fastest_stands_first_and_the_refused_say_why() -> None:
    table = shown(ROWS)
    assert table.index("openvino") < table.index("onnxruntime")
    assert "onnxruntime-tensorrt fp16 may not be chosen: no such GPU" in table
