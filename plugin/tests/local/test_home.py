from collections.abc import Callable
from pathlib import Path

import pytest

from bicross.errors import EnvironmentProblem, UsageError
from bicross.local.choice import Choice
from bicross.local.home import lay_out, wipe_data
from bicross.local.java import JavaRuntime
from bicross.local.releases import LockedJar, Release
from bicross.local.spec import NodeSpec


def test_a_missing_launcher_names_the_command_that_builds_it(
    tmp_path: Path,
    make_jar: Callable[..., LockedJar],
    make_release: Callable[..., Release],
    make_runtime: Callable[..., JavaRuntime],
) -> None:
    choice = Choice(make_release(make_jar(b"x")), make_runtime(25), "because")
    spec = NodeSpec(version="9.9.9", home=tmp_path)
    with pytest.raises(EnvironmentProblem, match="make -C plugin/elasticsearch/local-node ES=9"):
        lay_out(spec, choice, {})


@pytest.mark.parametrize("names", [(), ("_state", "indices", "node.lock", "nodes")])
def test_a_nodes_data_are_wiped(tmp_path: Path, names: tuple[str, ...]) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for name in names:
        (data / name).mkdir()
    wipe_data(data)
    assert not data.exists()


def test_a_folder_with_anything_else_is_not_wiped(tmp_path: Path) -> None:
    (tmp_path / "indices").mkdir()
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UsageError, match=r"thesis\.tex"):
        wipe_data(tmp_path)
    assert (tmp_path / "thesis.tex").exists()
    assert (tmp_path / "indices").exists()


def test_wiping_what_is_not_there_is_nothing(tmp_path: Path) -> None:
    wipe_data(tmp_path / "data")
    assert not (tmp_path / "data").exists()
