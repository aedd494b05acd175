"""The repository is a small true HTTP server, named as a mirror in jgo's settings."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bicross.errors import EnvironmentProblem
from bicross.local.jars import fetch_jars, link, missing_bytes
from bicross.local.ports import free_port
from bicross.local.releases import LockedJar, Release

MakeJar = Callable[..., LockedJar]
MakeRelease = Callable[..., Release]


@dataclass
class Repository:
    """Files by path, and the paths that were asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def publish(self, jar: LockedJar, content: bytes) -> None:
        group, artifact, version = jar.coordinate.split(":")
        folder = "/".join([*group.split("."), artifact, version])
        self.files[f"/{folder}/{jar.file_name}"] = content

    def jars_asked(self) -> list[str]:
        return [path for path in self.asked if path.endswith(".jar")]


def name_mirror(home: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".jgorc").write_text(f"[repositories]\nmirror = {url}\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    held = Repository()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            held.asked.append(self.path)
            content = held.files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_: object) -> None:
            """Silent: the test asks `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    name_mirror(tmp_path, f"http://127.0.0.1:{server.server_port}", monkeypatch)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield held
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "jars"


def test_jars_are_fetched_once_and_used_without_a_network_afterwards(
    repository: Repository, cache: Path, make_jar: MakeJar, make_release: MakeRelease
) -> None:
    contents = {f"jar{number}": f"content {number}".encode() for number in range(20)}
    jars = [make_jar(content, name) for name, content in contents.items()]
    for jar, content in zip(jars, contents.values(), strict=True):
        repository.publish(jar, content)
    release = make_release(*jars)

    first = fetch_jars(release, cache)
    asked = len(repository.asked)
    second = fetch_jars(release, cache)

    assert sorted(path.read_bytes() for path in first.values()) == sorted(contents.values())
    assert len(repository.jars_asked()) == len(jars)
    assert second == first
    assert len(repository.asked) == asked


def test_other_bytes_than_locked_are_refused_and_not_kept(
    repository: Repository, cache: Path, make_jar: MakeJar, make_release: MakeRelease
) -> None:
    jar = make_jar(b"locked")
    repository.publish(jar, b"replaced")
    with pytest.raises(EnvironmentProblem, match=r"org.example:one:1.0 .* the lock says"):
        fetch_jars(make_release(jar), cache)
    assert list(cache.iterdir()) == []


def test_a_damaged_cache_mends_itself(
    repository: Repository, cache: Path, make_jar: MakeJar, make_release: MakeRelease
) -> None:
    jar = make_jar(b"locked")
    repository.publish(jar, b"locked")
    cache.mkdir()
    (cache / f"{jar.sha256}.jar").write_bytes(b"half")
    assert fetch_jars(make_release(jar), cache)[jar.sha256].read_bytes() == b"locked"


@pytest.mark.usefixtures("repository")
def test_a_jar_that_is_nowhere_is_named(
    cache: Path, make_jar: MakeJar, make_release: MakeRelease
) -> None:
    with pytest.raises(EnvironmentProblem, match=r"org\.example:one:1\.0 is not in the Maven"):
        fetch_jars(make_release(make_jar(b"x")), cache)


def test_an_unreachable_repository_says_that_the_first_start_needs_one(
    tmp_path: Path,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    make_jar: MakeJar,
    make_release: MakeRelease,
) -> None:
    name_mirror(tmp_path, f"http://127.0.0.1:{free_port()}", monkeypatch)
    with pytest.raises(EnvironmentProblem, match=r"cannot be downloaded .*first start needs"):
        fetch_jars(make_release(make_jar(b"x")), cache)


def test_what_arrived_before_a_failure_stays(
    repository: Repository, cache: Path, make_jar: MakeJar, make_release: MakeRelease
) -> None:
    there, absent = make_jar(b"there", "there"), make_jar(b"absent", "absent")
    repository.publish(there, b"there")
    release = make_release(there, absent)
    with pytest.raises(EnvironmentProblem):
        fetch_jars(release, cache)
    assert missing_bytes(release, cache) == len(b"absent")


def test_each_jar_is_reported_once(
    repository: Repository, cache: Path, make_jar: MakeJar, make_release: MakeRelease
) -> None:
    jars = [make_jar(bytes([number]), f"jar{number}") for number in range(5)]
    for number, jar in enumerate(jars):
        repository.publish(jar, bytes([number]))
    ready: list[LockedJar] = []
    fetch_jars(make_release(*jars), cache, ready.append)
    assert sorted(jar.coordinate for jar in ready) == sorted(jar.coordinate for jar in jars)


def test_a_link_replaces_what_was_there(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "folder" / "target"
    source.write_text("new")
    target.parent.mkdir()
    target.write_text("old")
    link(source, target)
    assert target.read_text() == "new"
