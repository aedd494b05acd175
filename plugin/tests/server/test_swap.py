"""A bundle that changes on disk takes the old one's place, and nobody's request fails for it."""

import asyncio
import json
import logging
import os
import shutil
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from bicross.bundle import open_bundle
from bicross.runtime import BiEncoder
from bicross.server.models.catalog import Catalog, served_model
from bicross.server.models.places import Places
from bicross.server.serving import Serving
from bicross.server.swap import Stock, Swapper

BUNDLES = Path(__file__).parents[1] / "bundles"
URL = "/v1/embeddings"
# Two bundles of one task, of which either may be called tiny-bi.
OLD, NEW = "tiny-bi", "tiny-cut"


def lay(folder: Path, source: str) -> Path:
    """`source` under the name tiny-bi, in one step."""
    staging = folder.with_name(f".{folder.name}")
    shutil.copytree(BUNDLES / source, staging)
    manifest = staging / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"name": "tiny-bi"}))
    shutil.rmtree(folder, ignore_errors=True)
    staging.rename(folder)
    return folder


def label(folder: Path) -> str:
    return f"tiny-bi@{open_bundle(folder).manifest.digest[:12]}"


@dataclass(frozen=True)
class Watched:
    client: httpx.AsyncClient
    serving: Serving
    swapper: Swapper

    async def look(self, *, at_once: bool = False) -> None:
        await asyncio.to_thread(self.swapper.look, at_once=at_once)

    async def answers(self, model: str = "tiny-bi", input_type: str = "query") -> str:
        """The name of the model that answers."""
        body = {"model": model, "input": "the cat", "input_type": input_type}
        response = await self.client.post(URL, json=body)
        found = response.json()
        return str(found["model"] if response.status_code == 200 else found["error"]["code"])

    def metric(self, name: str, **labels: str) -> float | None:
        return self.serving.metrics.registry.get_sample_value(name, labels)


@asynccontextmanager
async def watched(served: Any, *given: Path) -> AsyncIterator[Watched]:
    places = Places.of(given)
    found = places.look()
    catalog = Catalog([open_bundle(each.folder) for each in found])
    stock = Stock(places, found, lambda bundle: served_model(bundle, None, None))
    async with served(catalog) as (client, app):
        yield Watched(client, app.state.serving, Swapper(stock, app.state.serving))


async def test_changed_bundle_is_served_once_two_looks_find_it_alike(
    served: Any, tmp_path: Path
) -> None:
    folder = lay(tmp_path / "bi", OLD)
    old = label(folder)
    async with watched(served, folder) as server:
        assert await server.answers() == old
        new = label(lay(folder, NEW))
        await server.look()
        assert await server.answers() == old
        await server.look()
        assert await server.answers() == new
        assert await server.answers(old) == "model_not_found"
        assert server.metric("bicross_bundle_changes_total", change="swapped") == 1
        assert server.metric("bicross_model_ready", model=new) == 1


async def test_look_that_was_asked_for_waits_for_no_second(served: Any, tmp_path: Path) -> None:
    folder = lay(tmp_path / "bi", OLD)
    async with watched(served, folder) as server:
        new = label(lay(folder, NEW))
        await server.look(at_once=True)
        assert await server.answers() == new


async def test_unchanged_bundle_is_left_alone(served: Any, tmp_path: Path) -> None:
    async with watched(served, lay(tmp_path / "bi", OLD)) as server:
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
    served: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = lay(tmp_path / "bi", OLD)
    old = label(folder)
    async with watched(served, folder) as server:
        spoil(lay(folder, NEW))
        for _ in range(4):
            await server.look()
        assert await server.answers() == old
        assert server.metric("bicross_bundle_refusals_total", code=code) == 1
        assert reason in caplog.text
        assert f"{old} goes on serving" in caplog.text
        new = label(lay(folder, NEW))
        for _ in range(2):
            await server.look()
        assert await server.answers() == new


async def test_half_written_folder_is_waited_for_and_refused_by_nobody(
    served: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = lay(tmp_path / "bi", OLD)
    old = label(folder)
    whole = lay(tmp_path / "other", NEW)
    async with watched(served, folder) as server:
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
        assert await server.answers() == label(whole)
        assert not [each for each in caplog.records if each.levelno >= logging.ERROR]


async def test_manifest_that_came_before_its_files_is_tried_again(
    served: Any, tmp_path: Path
) -> None:
    folder = lay(tmp_path / "bi", OLD)
    whole = lay(tmp_path / "other", NEW)
    async with watched(served, folder) as server:
        shutil.copy(whole / "manifest.json", folder / "manifest.json")
        await server.look(at_once=True)
        shutil.copytree(whole, folder, dirs_exist_ok=True)
        for _ in range(2):
            await server.look()
        assert await server.answers() == label(whole)


async def test_admitted_request_ends_on_the_old_model_which_is_then_released(
    served: Any, tmp_path: Path, gate: Callable[[Any], Any]
) -> None:
    folder = lay(tmp_path / "bi", OLD)
    old = label(folder)
    async with watched(served, folder) as server:
        gated: Any = gate(server.serving.catalog.models[0])
        left = weakref.ref(server.serving.catalog.models[0])
        first = asyncio.create_task(server.answers(input_type="passage"))
        assert await asyncio.to_thread(gated.entered.acquire, timeout=30)
        new = label(lay(folder, NEW))
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
    served: Any, tmp_path: Path
) -> None:
    folder = lay(tmp_path / "bi", OLD)
    body = {"model": "tiny-bi", "input": "the cat", "input_type": "query"}
    async with watched(served, folder) as server:
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
    served: Any, tmp_path: Path
) -> None:
    folder = lay(tmp_path / "bi", OLD)
    async with watched(served, folder) as server:
        name = await server.answers()
        lay(folder, OLD)
        await server.look(at_once=True)
        assert await server.answers() == name
        misses = server.metric("bicross_cache_misses_total", model=name, cache="query")
    assert misses == 2


async def test_bundles_of_a_folder_come_and_go(served: Any, tmp_path: Path) -> None:
    old = label(lay(tmp_path / "v1", OLD))
    os.utime(tmp_path / "v1" / "manifest.json", (1, 1))
    async with watched(served, tmp_path) as server:
        assert await server.answers() == old
        new = label(lay(tmp_path / "v2", NEW))
        await server.look()
        await server.look()
        # Both are there, and the bare name means the one written last.
        assert await server.answers() == new
        assert await server.answers(old) == old
        assert await server.answers(new) == new
        shutil.rmtree(tmp_path / "v2")
        await server.look()
        await server.look()
        assert await server.answers() == old
        assert await server.answers(new) == "model_not_found"
        assert server.metric("bicross_bundle_changes_total", change="added") == 1
        assert server.metric("bicross_bundle_changes_total", change="removed") == 1


async def test_server_of_an_empty_folder_is_not_ready(served: Any, tmp_path: Path) -> None:
    lay(tmp_path / "v1", OLD)
    async with watched(served, tmp_path) as server:
        shutil.rmtree(tmp_path / "v1")
        await server.look(at_once=True)
        assert (await server.client.get("/health/ready")).status_code == 503


async def test_bundle_in_two_folders_is_served_from_the_first(
    served: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lay(tmp_path / "v1", OLD)
    async with watched(served, tmp_path) as server:
        lay(tmp_path / "v2", OLD)
        await server.look(at_once=True)
        assert len(server.serving.catalog.models) == 1
        assert "given twice" in caplog.text


async def test_folder_that_cannot_be_read_takes_no_bundle_away(
    served: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    old = label(lay(shelf / "v1", OLD))
    async with watched(served, shelf) as server:
        shelf.rename(tmp_path / "elsewhere")
        for _ in range(3):
            await server.look()
        assert await server.answers() == old
        assert caplog.text.count("bundles stay as they are") == 1
