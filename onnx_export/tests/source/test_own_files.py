import os
from pathlib import Path

import pytest

from bicross.errors import NotARegularFile
from onnx_export.source.own_files import require_own_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("not the model's")
    target = tmp_path / "model"
    (target / "1_Pooling").mkdir(parents=True)
    (target / "config.json").write_text("{}")
    return target


def test_folder_of_plain_files_is_its_own(folder: Path) -> None:
    require_own_files(folder)


def test_link_within_the_folder_is_its_own(folder: Path) -> None:
    (folder / "1_Pooling" / "config.json").symlink_to(folder / "config.json")
    require_own_files(folder)


@pytest.mark.parametrize("target", ["../secret", "../../secret"])
def test_link_out_of_the_folder_is_named_with_the_remedy(folder: Path, target: str) -> None:
    link = folder / "README.md" if target == "../secret" else folder / "1_Pooling" / "config.json"
    link.symlink_to(target)
    name = link.relative_to(folder).as_posix()
    with pytest.raises(NotARegularFile, match=rf"model: {name} is a link .*cp -rL"):
        require_own_files(folder)


def test_folder_that_is_a_link_out_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (folder / "2_Dense").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotARegularFile, match="2_Dense"):
        require_own_files(folder)


def test_link_to_nothing_is_refused(folder: Path) -> None:
    (folder / "README.md").symlink_to("absent")
    with pytest.raises(NotARegularFile, match="does not exist"):
        require_own_files(folder)


def test_pipe_is_refused_without_reading_it(folder: Path) -> None:
    os.mkfifo(folder / "README.md")
    with pytest.raises(NotARegularFile, match="not a regular file"):
        require_own_files(folder)


def test_folder_that_is_reached_through_a_link_is_its_own(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(folder)
    require_own_files(tmp_path / "alias")


def test_snapshot_of_the_hubs_cache_links_to_its_own_blobs_alone(tmp_path: Path) -> None:
    model = tmp_path / "models--own--tiny"
    snapshot = model / "snapshots" / "0123abc"
    snapshot.mkdir(parents=True)
    (model / "blobs").mkdir()
    (model / "blobs" / "1").write_text("{}")
    (snapshot / "config.json").symlink_to("../../blobs/1")
    require_own_files(snapshot)
    (tmp_path / "another").write_text("{}")
    (snapshot / "README.md").symlink_to("../../../another")
    with pytest.raises(NotARegularFile, match=r"README\.md"):
        require_own_files(snapshot)
