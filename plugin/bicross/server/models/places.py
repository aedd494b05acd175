"""Where bundles lie on disk, and how they look from outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bicross.bundle.layout import MANIFEST


@dataclass(frozen=True)
class Sighting:
    """What tells one state of a folder from another without reading its files.

    `written` is when the manifest was, in ns; `files` are their names, inodes, sizes in bytes and
    times of change in ns.
    """

    written: int
    files: tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True)
class Found:
    """A bundle's folder. `place` is that of the argument which it came from; `sighting` is None
    where there is no manifest, or files vanish while one looks.
    """

    folder: Path
    place: int
    sighting: Sighting | None

    @property
    def order(self) -> tuple[int, int, str]:
        """The first of a name has the bare name: of one shelf, whose manifest was written last."""
        return self.place, -(self.sighting.written if self.sighting else 0), self.folder.name


@dataclass(frozen=True)
class Places:
    """What the server was given: bundles, and `shelves`, which are folders of bundles."""

    given: Sequence[Path]
    shelves: frozenset[Path]

    @classmethod
    def of(cls, given: Sequence[Path]) -> Self:
        """A folder without a manifest is a shelf where a folder in it has one."""
        folders = (path for path in given if path.is_dir() and not _has_manifest(path))
        shelves = (path for path in folders if _bundles_in(path))
        return cls(given, frozenset(shelves))

    def look(self) -> list[Found]:
        """All bundles' folders, in their order. Raises `OSError` where a shelf cannot be read."""
        found = [
            Found(folder, place, sight(folder))
            for place, path in enumerate(self.given)
            for folder in (_bundles_in(path) if path in self.shelves else [path])
        ]
        return sorted(found, key=lambda each: each.order)


def sight(folder: Path) -> Sighting | None:
    """How `folder` looks now; see `Found`."""
    try:
        written = (folder / MANIFEST).lstat().st_mtime_ns
        files = []
        for file in sorted(folder.rglob("*")):
            status = file.lstat()
            files.append((str(file), status.st_ino, status.st_size, status.st_ctime_ns))
    except OSError:
        return None
    return Sighting(written, tuple(files))


def _bundles_in(path: Path) -> list[Path]:
    """Hidden folders are being written: a bundle is renamed when it is whole."""
    return [each for each in path.iterdir() if each.name[0] != "." and _has_manifest(each)]


def _has_manifest(path: Path) -> bool:
    return (path / MANIFEST).is_file()
