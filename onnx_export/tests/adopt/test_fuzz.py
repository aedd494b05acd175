"""Folders with ONNX, changed in any way, are adopted or refused by an error of ours.

A longer run: `BICROSS_FUZZ_EXAMPLES=2000 pytest onnx_export/tests/adopt/test_fuzz.py`.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
import pytest
from folder_worker import FolderWorker
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TINY = Path(__file__).parents[3] / "plugin" / "tests" / "bundles"
WORKER = Path(__file__).with_name("adopt_folders.py")
EXAMPLES = int(os.environ.get("BICROSS_FUZZ_EXAMPLES", "0"))
LONGEST_S = 120
FUZZ = settings(
    max_examples=EXAMPLES or 25,
    derandomize=not EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
DESCRIPTIONS = (
    "1_Pooling/config.json",
    "config.json",
    "config_sentence_transformers.json",
    "modules.json",
    "sentence_bert_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
)
VALUES = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        1e300,
        1 << 70,
        "",
        "x",
        "../../x",
        [],
        [1],
        {},
        {"a": 1},
        "cls",
        "1_Pooling",
    ]
)


@pytest.fixture(scope="module")
def adopter() -> Iterator[FolderWorker]:
    adopter = FolderWorker(WORKER, LONGEST_S)
    yield adopter
    adopter.close()


@pytest.fixture(scope="module", params=["tiny-bi", "tiny-cross"])
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the hub's layout, without what is ours."""
    folder = tmp_path_factory.mktemp("original") / str(request.param)
    ours = shutil.ignore_patterns("manifest.json", "goldens.json", "README.md")
    shutil.copytree(TINY / str(request.param), folder, ignore=ours)
    return folder


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def copy_of(original: Path, scratch: Path) -> Path:
    folder = scratch / "folder"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(original, folder, copy_function=shutil.copyfile)
    return folder


def require_answer(adopter: FolderWorker, folder: Path) -> None:
    outcome = adopter.outcome(folder)
    assert outcome == "adopted" or outcome.startswith("refused by"), outcome


@given(data=st.data())
@FUZZ
def test_any_edit_of_the_descriptions_is_answered(
    original: Path, scratch: Path, adopter: FolderWorker, data: st.DataObject
) -> None:
    folder = copy_of(original, scratch)
    known = [name for name in DESCRIPTIONS if (folder / name).is_file()]
    for _ in range(data.draw(st.integers(1, 2))):
        file = folder / data.draw(st.sampled_from(known))
        if not file.is_file():
            continue
        if data.draw(st.integers(0, 9)) == 0:
            file.unlink()
            continue
        found: Any = json.loads(file.read_text())
        rows = found if isinstance(found, list) else [found]
        row = rows[data.draw(st.integers(0, len(rows) - 1))]
        row[data.draw(st.sampled_from(sorted(row)))] = data.draw(VALUES)
        file.write_text(json.dumps(found))
    require_answer(adopter, folder)


@given(data=st.data())
@FUZZ
def test_any_edit_of_the_graphs_messages_is_answered(
    original: Path, scratch: Path, adopter: FolderWorker, data: st.DataObject
) -> None:
    """Names, types, sizes, nodes and operators changed inside a graph that still parses."""
    folder = copy_of(original, scratch)
    model = onnx.load(folder / "onnx" / "model.onnx")
    for _ in range(data.draw(st.integers(1, 3))):
        change(model, data, depth=0)
    (folder / "onnx" / "model.onnx").write_bytes(model.SerializeToString())
    require_answer(adopter, folder)


def change(message: Any, data: st.DataObject, depth: int) -> None:
    """One field of `message`, or of a message in it, gets another value."""
    fields = sorted(message.ListFields(), key=lambda pair: pair[0].number)
    if not fields:
        return
    field, value = data.draw(st.sampled_from(fields))
    if field.message_type is not None and depth < 6:
        if not field.is_repeated:
            change(value, data, depth + 1)
            return
        index = data.draw(st.integers(0, len(value) - 1))
        how = data.draw(st.sampled_from(["inside", "inside", "inside", "remove", "double"]))
        if how == "inside":
            change(value[index], data, depth + 1)
        elif how == "remove":
            del value[index]
        else:
            value.add().CopyFrom(value[index])
        return
    new = data.draw(OTHER_VALUES.get(field.cpp_type, st.none()))
    if new is None:
        message.ClearField(field.name)
    elif field.is_repeated:
        value[data.draw(st.integers(0, len(value) - 1))] = new
    else:
        setattr(message, field.name, new.encode() if field.type == field.TYPE_BYTES else new)


NUMBERS = st.sampled_from([0, 1, 2, 3, 7, 16, 64, 1000, 1 << 20])
# By protobuf's C++ types: int32, int64, uint64, enum, float and text.
OTHER_VALUES: dict[int, st.SearchStrategy[Any]] = {
    1: NUMBERS,
    2: NUMBERS | st.just(1 << 50) | st.just(-1),
    4: NUMBERS,
    6: st.sampled_from([0.0, -1.0, 1e30]),
    8: st.sampled_from([0, 1, 2, 7]),
    9: st.sampled_from(["", "input_ids", "attention_mask", "logits", "Relu", "MatMul", "x"]),
}


@given(content=st.binary(max_size=300))
@FUZZ
def test_any_bytes_as_a_graph_are_refused(
    original: Path, scratch: Path, adopter: FolderWorker, content: bytes
) -> None:
    folder = copy_of(original, scratch)
    (folder / "onnx" / "model.onnx").write_bytes(content)
    assert adopter.outcome(folder).startswith("refused by")
