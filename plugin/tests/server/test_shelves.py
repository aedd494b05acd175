"""Bundles that come into a folder are served, and those that go are not served any more."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Lay = Callable[[Path, str], str]

# Two bundles of one task, of which either may be called tiny-bi.
OLD, NEW = "tiny-bi", "tiny-cut"


async def test_bundles_of_a_folder_come_and_go(watched: Any, lay: Lay, tmp_path: Path) -> None:
    old = lay(tmp_path / "v1", OLD)
    os.utime(tmp_path / "v1" / "manifest.json", (1, 1))
    async with watched(tmp_path) as server:
        assert await server.answers() == old
        new = lay(tmp_path / "v2", NEW)
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


async def test_server_of_an_empty_folder_is_not_ready(
    watched: Any, lay: Lay, tmp_path: Path
) -> None:
    lay(tmp_path / "v1", OLD)
    async with watched(tmp_path) as server:
        shutil.rmtree(tmp_path / "v1")
        await server.look(at_once=True)
        assert (await server.client.get("/health/ready")).status_code == 503


async def test_bundle_in_two_folders_is_served_from_the_first(
    watched: Any, lay: Lay, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lay(tmp_path / "v1", OLD)
    async with watched(tmp_path) as server:
        lay(tmp_path / "v2", OLD)
        await server.look(at_once=True)
        assert len(server.serving.catalog.models) == 1
        assert "given twice" in caplog.text


async def test_folder_that_cannot_be_read_takes_no_bundle_away(
    watched: Any, lay: Lay, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    old = lay(shelf / "v1", OLD)
    async with watched(shelf) as server:
        shelf.rename(tmp_path / "elsewhere")
        for _ in range(3):
            await server.look()
        assert await server.answers() == old
        assert caplog.text.count("bundles stay as they are") == 1
