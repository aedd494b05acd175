"""A bundle on disk: opened only when every byte is what the manifest says, written whole or not."""

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bicross.bundle.golden import Goldens
from bicross.bundle.layout import (
    FORBIDDEN_SUFFIXES,
    GOLDENS,
    MANIFEST,
    MAX_GOLDENS_BYTES,
    MAX_MANIFEST_BYTES,
    safe_path,
)
from bicross.bundle.manifest import FileRecord, Manifest
from bicross.errors import (
    DigestMismatch,
    ForbiddenFileType,
    InvalidManifest,
    MissingFile,
    NotARegularFile,
    SizeMismatch,
    UsageError,
)


@dataclass(frozen=True)
class Bundle:
    """A verified folder: what `manifest` names is there, byte for byte."""

    path: Path
    manifest: Manifest
    goldens: Goldens

    def file(self, relative: str) -> Path:
        return self.path / safe_path(relative)


def open_bundle(path: Path) -> Bundle:
    """The bundle at `path`, every file checked by size and sha256.

    Raises a `ManifestError` that names the file.
    """
    manifest_file = _regular_file(path, MANIFEST)
    if manifest_file.stat().st_size > MAX_MANIFEST_BYTES:
        raise InvalidManifest(f"{path}: manifest.json is larger than {MAX_MANIFEST_BYTES} bytes")
    manifest = Manifest.parse(manifest_file.read_bytes())
    if GOLDENS not in manifest.files:
        raise InvalidManifest(f"{path}: manifest.json, files: lacks {GOLDENS}")
    if manifest.files[GOLDENS].size > MAX_GOLDENS_BYTES:
        raise InvalidManifest(f"{path}: {GOLDENS} is larger than {MAX_GOLDENS_BYTES} bytes")
    _refuse_forbidden_files(path)
    verify_files(path, manifest.files)
    return Bundle(path, manifest, Goldens.parse((path / GOLDENS).read_bytes()))


def verify_files(path: Path, files: dict[str, FileRecord]) -> None:
    for name, record in files.items():
        file = _regular_file(path, name)
        size = file.stat().st_size
        if size != record.size:
            raise SizeMismatch(
                f"bundle {path.name}: {name} has {size} bytes but manifest.json says "
                f"{record.size}; copy the bundle anew or export again"
            )
        found = file_sha256(file)
        if found != record.sha256:
            raise DigestMismatch(
                f"bundle {path.name}: {name} has sha256 {found} but manifest.json says "
                f"{record.sha256}; copy the bundle anew or export again"
            )


def file_sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def file_records(folder: Path) -> dict[str, FileRecord]:
    """Every file below `folder` but the manifest, by relative POSIX path, sorted."""
    _refuse_forbidden_files(folder)
    records = {}
    for file in sorted(folder.rglob("*")):
        if file.is_dir():
            continue
        name = file.relative_to(folder).as_posix()
        if name != MANIFEST:
            _regular_file(folder, name)
            records[name] = FileRecord(sha256=file_sha256(file), size=file.stat().st_size)
    return records


@contextmanager
def staged_bundle(out: Path, *, force: bool = False) -> Iterator[Path]:
    """A folder beside `out` that becomes `out` when the block ends well, and vanishes otherwise.

    Raises `UsageError` where `out` holds something and `force` is not given; with `force` the old
    bundle stands until the new one takes its place.
    """
    if out.exists() and not force and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not empty; choose another folder or pass --force")
    out.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        staging.chmod(0o755)
        yield staging
        _sync_files(staging)
        _replace(out, staging)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _replace(out: Path, staging: Path) -> None:
    old = None
    if out.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{out.name}.old.", dir=out.parent))
        out.rename(old / "bundle")
    try:
        staging.rename(out)
    except OSError:
        if old is not None:
            (old / "bundle").rename(out)
        raise
    finally:
        if old is not None:
            shutil.rmtree(old, ignore_errors=True)


def _sync_files(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            with file.open("rb") as stream:
                os.fsync(stream.fileno())


def _regular_file(folder: Path, name: str) -> Path:
    """Raises for a missing file and for a link or device anywhere on the way to it."""
    current = folder
    for part in safe_path(name).split("/"):
        current = current / part
        try:
            mode = current.lstat().st_mode
        except OSError:
            raise MissingFile(f"bundle {folder.name}: {name} is missing") from None
        if stat.S_ISLNK(mode):
            raise NotARegularFile(f"bundle {folder.name}: {name} is a link, not a regular file")
    if not stat.S_ISREG(mode) or current.lstat().st_nlink > 1:
        raise NotARegularFile(f"bundle {folder.name}: {name} is not a regular file of its own")
    return current


def _refuse_forbidden_files(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.suffix.lower() in FORBIDDEN_SUFFIXES:
            name = file.relative_to(folder).as_posix()
            raise ForbiddenFileType(
                f"bundle {folder.name}: {name} is a forbidden file type: a bundle holds no "
                "pickles and no code"
            )
