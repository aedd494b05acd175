"""Writes the lock file of one Elasticsearch version: `python -m bicross.local.lock 9.5.3`.

For maintainers. It asks for the exact version, never for a range or the latest, because the
repository's index of Elasticsearch's versions has holes.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bicross.local.jars import link
from bicross.local.java import find_runtimes
from bicross.local.releases import BRIDGE, LIB, LOCKS, TRANSPORT, LockedJar, Release

if TYPE_CHECKING:
    from jgo.maven import Artifact, MavenContext

SERVER = "org.elasticsearch:elasticsearch:{}"
NETTY = "org.elasticsearch.plugin:transport-netty4:{}"
ENTITLEMENT_MODULE = "org.elasticsearch.entitlement"
ENTITLEMENT_BRIDGE = "org.elasticsearch:elasticsearch-entitlement-bridge:{}"

# The class file version of Java 17 is 61; the difference is the same for every release.
CLASS_FILE_OFFSET = 44


def lock(version: str) -> Release:
    """Resolves, downloads and digests everything that `version` takes."""
    from jgo.config import GlobalSettings  # noqa: PLC0415
    from jgo.maven import MavenContext  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        mirrors = GlobalSettings.load().repositories or None
        context = MavenContext(repo_cache=Path(folder, "cache"), remote_repos=mirrors, timeout=60)
        files = dict(_files(context, version))
        lib = Path(folder, "lib")
        for jar, path in files.items():
            if jar.folder == LIB:
                link(path, lib / jar.file_name)
        required = _required_modules(lib)
        node, entitlement = required[False], required[True]
        return Release(
            version=version,
            java=_class_file_java(lib / f"elasticsearch-{version}.jar"),
            java_modules=tuple(sorted(node)),
            entitlement_modules=tuple(sorted(entitlement - node)),
            jars=tuple(sorted(files, key=lambda jar: (jar.folder, jar.coordinate))),
        )


def _files(context: "MavenContext", version: str) -> Iterator[tuple[LockedJar, Path]]:
    server = {_name(found) for found in _closure(context, SERVER.format(version))}
    for artifact in _closure(context, SERVER.format(version), NETTY.format(version)):
        # The transport is a module with a class loader of its own: what only it needs goes there.
        folder = LIB if _name(artifact) in server else TRANSPORT
        yield _locked(artifact, folder)
    bridge = context.create_dependency(ENTITLEMENT_BRIDGE.format(version)).artifact
    try:
        yield _locked(bridge, BRIDGE)
    except RuntimeError:
        sys.stderr.write(f"{bridge} is not published: no enforced entitlements for this version\n")


def _closure(context: "MavenContext", *coordinates: str) -> list["Artifact"]:
    wanted = [context.create_dependency(coordinate) for coordinate in coordinates]
    own, others = context.resolver.resolve(wanted)
    return [found.artifact for found in own] + [
        found.artifact for found in others if found.scope in ("compile", "runtime")
    ]


def _name(artifact: "Artifact") -> tuple[str, str]:
    return artifact.groupId, artifact.artifactId


def _locked(artifact: "Artifact", folder: str) -> tuple[LockedJar, Path]:
    path = artifact.resolve()
    jar = LockedJar(
        coordinate=f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}",
        folder=folder,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        size_bytes=path.stat().st_size,
    )
    return jar, path


def _class_file_java(jar: Path) -> int:
    """Java's major version of the jar's classes: bytes 6 and 7 of a class file."""
    with zipfile.ZipFile(jar) as archive:
        name = next(name for name in archive.namelist() if name.endswith("/Version.class"))
        return int.from_bytes(archive.read(name)[6:8]) - CLASS_FILE_OFFSET


def _required_modules(lib: Path) -> dict[bool, set[str]]:
    """Modules of the Java platform that the modules in `lib` require; True: the entitlements'."""
    newest = max(find_runtimes(), key=lambda runtime: runtime.major)
    shown = subprocess.run(  # noqa: S603
        [
            *(newest.java, "--module-path", lib, "--add-modules=ALL-MODULE-PATH"),
            *("--show-module-resolution", "--dry-run", "-version"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    required: dict[bool, set[str]] = {False: set(), True: set()}
    for line in shown.stdout.splitlines():
        match line.split():
            case [owner, "requires", module, location] if location.startswith("jrt:"):
                if not owner.startswith(("java.", "jdk.")):
                    required[owner == ENTITLEMENT_MODULE].add(module)
            case _:
                continue
    return required


def main(version: str) -> None:
    release = lock(version)
    path = LOCKS / f"{version}.json"
    path.write_text(json.dumps(release.model_dump(), indent=1) + "\n")
    megabytes = release.size_bytes / 1e6
    sys.stdout.write(f"{path}: {len(release.jars)} jars, {megabytes:.1f} MB, Java {release.java}\n")


if __name__ == "__main__":
    main(sys.argv[1])
