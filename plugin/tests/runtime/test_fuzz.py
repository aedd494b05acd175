"""Folders that somebody has tampered with are served right or refused, and crash nothing.

A longer run: `BICROSS_FUZZ_EXAMPLES=5000 pytest plugin/tests/runtime/test_fuzz.py`.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from folder_worker import FolderWorker
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bicross.bundle import Bundle, Manifest
from bicross.bundle.layout import GOLDENS, GRAPH, MANIFEST, TOKENIZER
from bicross.bundle.store import file_records
from bicross.errors import ManifestError

WORKER = Path(__file__).with_name("load_folders.py")
# A load takes some milliseconds; a machine may be busy.
LONGEST_S = 60
EXAMPLES = int(os.environ.get("BICROSS_FUZZ_EXAMPLES", "0"))
FUZZ = settings(
    max_examples=EXAMPLES or 60,
    derandomize=not EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
FILES = (GRAPH, TOKENIZER, GOLDENS, "config.json", MANIFEST)


@pytest.fixture(scope="module")
def loader() -> Iterator[FolderWorker]:
    loader = FolderWorker(WORKER, LONGEST_S)
    yield loader
    loader.close()


@pytest.fixture(scope="module", params=["tiny-bi", "tiny-cross"])
def original(request: pytest.FixtureRequest, bi_bundle: Bundle, cross_bundle: Bundle) -> Path:
    return (bi_bundle if request.param == "tiny-bi" else cross_bundle).path


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def copy_of(original: Path, scratch: Path) -> Path:
    folder = scratch / "bundle"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(original, folder, copy_function=shutil.copyfile)
    return folder


def record_again(folder: Path) -> None:
    """Makes the manifest agree with the files, as whoever tampered with them would."""
    if not (folder / MANIFEST).is_file():
        return
    try:
        manifest = Manifest.parse((folder / MANIFEST).read_bytes())
        files = file_records(folder)
    except ManifestError:
        return
    if TOKENIZER not in files:
        return
    changed = manifest.model_copy(update={"files": files}).sealed()
    (folder / MANIFEST).write_text(changed.to_json())


@st.composite
def spliced(draw: st.DrawFn, content: bytes) -> bytes:
    """Up to three places replaced, doubled or cut out."""
    changed = bytearray(content)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, max(0, len(changed) - 1)))
        end = min(len(changed), start + draw(st.sampled_from([0, 1, 2, 4, 8, 64, 1024])))
        junk = draw(st.binary(max_size=12) | st.just(bytes(changed[start:end]) * 2))
        changed[start:end] = junk
    return bytes(changed)


@given(data=st.data())
@FUZZ
def test_tampered_bytes_are_refused_or_change_nothing(
    original: Path, scratch: Path, loader: FolderWorker, data: st.DataObject
) -> None:
    """Even where the manifest was made to agree: then the graph, or the goldens, must tell."""
    folder = copy_of(original, scratch)
    name = data.draw(st.sampled_from(FILES))
    (folder / name).write_bytes(data.draw(spliced((folder / name).read_bytes())))
    if name != MANIFEST and data.draw(st.booleans()):
        record_again(folder)
    outcome = loader.outcome(folder)
    assert outcome == "served" or outcome.startswith("refused by"), outcome


@given(data=st.data())
@FUZZ
def test_tampered_folder_is_refused_or_serves_as_before(
    original: Path, scratch: Path, loader: FolderWorker, data: st.DataObject
) -> None:
    folder = copy_of(original, scratch)
    for _ in range(data.draw(st.integers(1, 3))):
        tamper(folder, data)
    if data.draw(st.booleans()):
        record_again(folder)
    outcome = loader.outcome(folder)
    assert outcome == "served" or outcome.startswith("refused by"), outcome


def tamper(folder: Path, data: st.DataObject) -> None:
    names = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*"))
    file = folder / data.draw(st.sampled_from(names))
    how = data.draw(st.sampled_from(["remove", "cut", "link", "move", "add", "folder", "pipe"]))
    if file.is_symlink() or not file.is_file():
        return
    if how == "cut":
        content = file.read_bytes()
        file.write_bytes(content[: data.draw(st.integers(0, len(content)))])
        return
    if how == "add":
        suffix = data.draw(st.sampled_from([".bin", ".json", ".onnx", ".py", ""]))
        (file.parent / f"added{suffix}").write_bytes(data.draw(st.binary(max_size=64)))
        return
    if how == "move":
        file.rename(file.parent / data.draw(st.sampled_from(["moved", "..json", "model.onnx"])))
        return
    file.unlink()
    if how == "link":
        file.symlink_to(data.draw(st.sampled_from(["/etc/passwd", "../..", "absent", file.name])))
    elif how == "folder":
        file.mkdir()
    elif how == "pipe":
        os.mkfifo(file)


@given(content=st.binary(max_size=400))
@FUZZ
def test_any_bytes_as_a_graph_are_refused(
    original: Path, scratch: Path, loader: FolderWorker, content: bytes
) -> None:
    folder = copy_of(original, scratch)
    (folder / GRAPH).write_bytes(content)
    record_again(folder)
    assert loader.outcome(folder) == "refused by UnsafeGraph"
