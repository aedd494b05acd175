"""The jars of a release: fetched once by exact coordinate, verified, offline from then on."""

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from bicross.errors import BicrossError, EnvironmentProblem
from bicross.local.places import jar_cache
from bicross.local.releases import LockedJar, Release, read_release

PARALLEL_DOWNLOADS = 8
TIMEOUT_S = 60

Fetched = Callable[[LockedJar], None]


def fetch_jars(release: Release, cache: Path, on_ready: Fetched | None = None) -> dict[str, Path]:
    """Verified files of all jars, by sha256; what the cache lacks is downloaded, eight at a time.

    `on_ready` is called for each jar, in any order. Raises `EnvironmentProblem` where a jar cannot
    be had or is not the one that the lock names; the jars that did arrive stay.
    """
    cache.mkdir(parents=True, exist_ok=True)
    files: dict[str, Path] = {}

    def ready(jar: LockedJar) -> None:
        files[jar.sha256] = _cached(jar, cache) or _download(jar, cache)
        if on_ready:
            on_ready(jar)

    with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
        try:
            list(pool.map(ready, release.jars))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return files


def missing_bytes(release: Release, cache: Path) -> int:
    """What a first start still has to download."""
    return sum(
        jar.size_bytes for jar in release.jars if not (cache / f"{jar.sha256}.jar").is_file()
    )


def link(source: Path, target: Path) -> None:
    """`target` with the bytes of `source`: a hard link, or a copy on another file system."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _cached(jar: LockedJar, cache: Path) -> Path | None:
    path = cache / f"{jar.sha256}.jar"
    if not path.is_file():
        return None
    if _digest(path) == jar.sha256:
        return path
    # A damaged cache mends itself: the bytes are asked for again.
    path.unlink()
    return None


def _download(jar: LockedJar, cache: Path) -> Path:
    # A folder of its own, because jgo writes in place: an interrupted download must not look whole.
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=cache) as folder:
        arrived = _resolve(jar, Path(folder))
        found = _digest(arrived)
        if found != jar.sha256:
            raise EnvironmentProblem(
                f"{jar.coordinate} arrived with sha256 {found} but the lock says {jar.sha256}; "
                "the repository or a proxy on the way sent other bytes: nothing of it was kept"
            )
        arrived.chmod(0o644)
        path = cache / f"{jar.sha256}.jar"
        arrived.replace(path)
        return path


def _resolve(jar: LockedJar, folder: Path) -> Path:
    # Imported where something is missing: a start from a full cache needs neither.
    import requests  # noqa: PLC0415
    from jgo.config import GlobalSettings  # noqa: PLC0415
    from jgo.maven import MavenContext  # noqa: PLC0415

    mirrors = GlobalSettings.load().repositories or None
    context = MavenContext(repo_cache=folder, remote_repos=mirrors, timeout=TIMEOUT_S)
    group, artifact, version = jar.coordinate.split(":")
    wanted = context.project(group, artifact).at_version(version).artifact()
    try:
        with suppress(requests.ConnectionError):
            return wanted.resolve()
        # Once more: with many small downloads, one reset connection should not end the start.
        shutil.rmtree(folder / wanted.component.path_prefix, ignore_errors=True)
        return wanted.resolve()
    except requests.RequestException as problem:
        raise EnvironmentProblem(
            f"{jar.coordinate} cannot be downloaded ({type(problem).__name__}); the first start "
            "needs a Maven repository, later ones do not; a mirror is named under [repositories] "
            "in jgo's settings file"
        ) from problem
    except RuntimeError as problem:
        raise EnvironmentProblem(
            f"{jar.coordinate} is not in the Maven repositories asked; a mirror is named under "
            "[repositories] in jgo's settings file"
        ) from problem


def main(version: str) -> None:
    """Lay out the jars of `version` to compile against, and print the folder."""
    try:
        release = read_release(version)
        files = fetch_jars(release, jar_cache())
    except BicrossError as problem:
        sys.exit(f"error: {problem}")
    folder = jar_cache().parent / "compile" / version
    for jar in release.jars:
        link(files[jar.sha256], folder / jar.folder / jar.file_name)
    sys.stdout.write(f"{folder}\n")


if __name__ == "__main__":
    main(sys.argv[1])
