"""A model folder's files must be its own: a link could bring any file here into a bundle."""

import stat
from pathlib import Path

from bicross.errors import NotARegularFile

# The hub's cache: blobs/HASH, and snapshots/COMMIT/NAME that links to one.
SNAPSHOTS = "snapshots"


def require_own_files(folder: Path) -> None:
    """Every file below `folder`. Raises `NotARegularFile`."""
    for file in sorted(folder.rglob("*")):
        if file.is_symlink() or not file.is_dir():
            require_own_file(folder, file)


def require_own_file(folder: Path, file: Path) -> None:
    """Raises `NotARegularFile` for a device and for a link that leads out of `folder`.

    In the hub's cache the files of a snapshot are links to the blobs of the same model.
    """
    base = folder.resolve()
    if base.parent.name == SNAPSHOTS:
        base = base.parent.parent
    target = file.resolve()
    name = file.relative_to(folder).as_posix()
    if not target.is_relative_to(base):
        raise NotARegularFile(
            f"{folder.name}: {name} is a link to a file outside the folder; put the file itself "
            "there (cp -rL FOLDER COPY)"
        )
    if not target.exists():
        raise NotARegularFile(f"{folder.name}: {name} is a link to a file that does not exist")
    if not stat.S_ISREG(target.stat().st_mode):
        raise NotARegularFile(f"{folder.name}: {name} is not a regular file")
