"""A bundle that changes on disk takes the old one's place, and nobody's request fails for it."""

import asyncio
import json
import logging
import shutil
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bicross.bundle import open_bundle
from bicross.runtime import BiEncoder

Lay = Callable[[Path, str], str]

BUNDLES = Path(__file__).parents[1] / "bundles"
URL = "/v1/embeddings"
# Two bundles of one task, of which either may be called tiny-bi.
OLD, NEW = "tiny-bi", "tiny-cut"


async def test_changed_bundle_is_served_once_two_looks_find_it_alike(
    watched: Any, lay: Lay, tmp_path: Path
) -> None:
    folder = tmp_path / "bi"
    old = lay(folder, OLD)
    async with watched(folder) as server:
        assert await server.answers() == old
        new = lay(folder, NEW)
        await server.look()
        assert await server.answers() == old
        await server.look()
        assert await server.answers() == new
        assert await server.answers(old) == "model_not_found"
        assert server.metric("bicross_bundle_changes_total", change="swapped") == 1
        assert server.metric("bicross_model_ready", model=new) == 1


async def test_look_that_was_asked_for_waits_for_no_second(
    watched: Any, lay: Lay, tmp_path: Path
) -> None:
    folder = tmp_path / "bi"
    lay(folder, OLD)
    async with watched(folder) as server:
        new = lay(folder, NEW)
        await server.look(at_once=True)
        assert await server.answers() == new


async def test_unchanged_bundle_is_left_alone(watched: Any, lay: Lay, tmp_path: Path) -> None:
    lay(tmp_path / "bi", OLD)
    async with watched(tmp_path / "bi") as server:
        before = server.serving.catalog.models[0]
        for at_once in (False, False, True):
            await server.look(at_once=at_once)
        assert server.serving.catalog.models[0] is before


def spoil_weights(folder: Path) -> None:
    graph = folder / "onnx" / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:-1] + b"\0")


def spoil_goldens(folder: Path) -> None:
    """The weights of the other bundle, each file as the manifest says."""
    record = json.loads((folder / "manifest.json").read_text())
    other = json.loads((BUNDLES / OLD / "manifest.json").read_text())
    shutil.copy(BUNDLES / OLD / "onnx" / "model.onnx", folder / "onnx" / "model.onnx")
    record["files"]["onnx/model.onnx"] = other["files"]["onnx/model.onnx"]
    record["graph"] = other["graph"]
    (folder / "manifest.json").write_text(json.dumps(record))


@pytest.mark.parametrize(
    ("spoil", "code", "reason"),
    [
        (spoil_weights, "digest_mismatch", "has sha256"),
        (spoil_goldens, "golden_mismatch", "golden outputs differ"),
    ],
    ids=["another byte", "other numbers"],
)
async def test_bundle_that_cannot_serve_leaves_the_old_one_and_says_why(
    spoil: Callable[[Path], None],
    code: str,
    reason: str,
    watched: Any,
    lay: Lay,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = tmp_path / "bi"
    old = lay(folder, OLD)
    async with watched(folder) as server:
        lay(folder, NEW)
        spoil(folder)
        for _ in range(4):
            await server.look()
        assert await server.answers() == old
        assert server.metric("bicross_bundle_refusals_total", code=code) == 1
        assert reason in caplog.text
        assert f"{old} goes on serving" in caplog.text
        new = lay(folder, NEW)
        for _ in range(2):
            await server.look()
        assert await server.answers() == new


async def test_half_written_folder_is_waited_for_and_refused_by_nobody(
    watched: Any, lay: Lay, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "bi"
    old = lay(folder, OLD)
    whole = tmp_path / "other"
    new = lay(whole, NEW)
    async with watched(folder) as server:
        with caplog.at_level(logging.ERROR):
            (folder / "manifest.json").unlink()
            for name in ("onnx/model.onnx", "goldens.json", "tokenizer.json"):
                shutil.copy(whole / name, folder / name)
                await server.look()
                await server.look()
                assert await server.answers() == old
            lay(folder, NEW)
            await server.look()
            await server.look()
        assert await server.answers() == new
        assert not [each for each in caplog.records if each.levelno >= logging.ERROR]


async def test_manifest_that_came_before_its_files_is_tried_again(
    watched: Any, lay: Lay, tmp_path: Path
) -> None:
    folder = tmp_path / "bi"
    lay(folder, OLD)
    whole = tmp_path / "other"
    new = lay(whole, NEW)
    async with watched(folder) as server:
        shutil.copy(whole / "manifest.json", folder / "manifest.json")
        await server.look(at_once=True)
        shutil.copytree(whole, folder, dirs_exist_ok=True)
        for _ in range(2):
            await server.look()
        assert await server.answers() == new


async def test_admitted_request_ends_on_the_old_model_which_is_then_released(
    watched: Any, lay: Lay, tmp_path: Path, gate: Callable[[Any], Any]
) -> None:
    folder = tmp_path / "bi"
    old = lay(folder, OLD)
    async with watched(folder) as server:
        gated: Any = gate(server.serving.catalog.models[0])
        left = weakref.ref(server.serving.catalog.models[0])
        first = asyncio.create_task(server.answers(input_type="passage"))
        assert await asyncio.to_thread(gated.entered.acquire, timeout=30)
        new = lay(folder, NEW)
        await server.look(at_once=True)
        assert await server.answers() == new
        await asyncio.to_thread(server.swapper.release)
        assert left() is not None
        gated.opened.set()
        assert await first == old
        del gated, first
        # The run that was in the way of the old one's end has ended when the next one has.
        assert await server.answers(input_type="passage") == new
        await asyncio.to_thread(server.swapper.release)
        assert left() is None
        assert old not in server.serving.metrics.exposition().decode()
        assert server.metric("bicross_model_ready", model=new) == 1


async def test_query_that_the_old_bundle_answered_is_computed_by_the_new_one(
    watched: Any, lay: Lay, tmp_path: Path
) -> None:
    folder = tmp_path / "bi"
    lay(folder, OLD)
    body = {"model": "tiny-bi", "input": "the cat", "input_type": "query"}
    async with watched(folder) as server:
        old = [(await server.client.post(URL, json=body)).json() for _ in range(2)]
        lay(folder, NEW)
        await server.look(at_once=True)
        new = (await server.client.post(URL, json=body)).json()
        counted = {"model": new["model"], "cache": "query"}
        assert server.metric("bicross_cache_hits_total", **counted) == 0
        await asyncio.to_thread(server.swapper.release)
        assert old[0]["model"] not in server.serving.metrics.exposition().decode()
    expected = BiEncoder.load(open_bundle(folder), threads=1).encode(["the cat"], "query")[0]
    assert old[0] == old[1]
    assert new["data"][0]["embedding"] == pytest.approx(expected.tolist(), abs=1e-5)


async def test_bundle_of_the_same_digest_laid_anew_begins_without_what_was_kept(
    watched: Any, lay: Lay, tmp_path: Path
) -> None:
    folder = tmp_path / "bi"
    lay(folder, OLD)
    async with watched(folder) as server:
        name = await server.answers()
        lay(folder, OLD)
        await server.look(at_once=True)
        assert await server.answers() == name
        misses = server.metric("bicross_cache_misses_total", model=name, cache="query")
    assert misses == 2
