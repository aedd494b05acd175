"""The Elasticsearch releases that a local node can run, down to every jar's digest.

A release is a file in locks/, written by `python -m bicross.local.lock VERSION`.
"""

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bicross.errors import EnvironmentProblem, UsageError

LOCKS = Path(__file__).parent / "locks"

LIB = "lib"
TRANSPORT = "modules/transport-netty4"
BRIDGE = "entitlement-bridge"


class LockedJar(BaseModel):
    """One jar: its exact coordinate, its digest, and its folder in the node's home."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    coordinate: str = Field(pattern=r"^[\w.-]+:[\w.-]+:[\w.-]+$")
    folder: str = Field(pattern=f"^({LIB}|{TRANSPORT}|{BRIDGE})$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size_bytes: int = Field(gt=0)

    @property
    def file_name(self) -> str:
        _group, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


class Release(BaseModel):
    """An Elasticsearch version, the Java that it needs, and its jars.

    `java` is the lowest major version that reads its classes. `java_modules` are the modules of the
    Java platform that its modules require; those that only enforcing entitlements requires stand
    apart, because a node without enforcement can do without them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    java: int = Field(ge=17)
    java_modules: tuple[str, ...]
    entitlement_modules: tuple[str, ...]
    jars: tuple[LockedJar, ...] = Field(min_length=1)

    @property
    def size_bytes(self) -> int:
        return sum(jar.size_bytes for jar in self.jars)

    @property
    def entitlement_bridge(self) -> LockedJar | None:
        """The jar that enforcing entitlements takes; some releases never published it."""
        return next((jar for jar in self.jars if jar.folder == BRIDGE), None)


@dataclass(frozen=True, order=True)
class _Key:
    major: int
    minor: int
    patch: int


def _key(version: str) -> _Key:
    return _Key(*(int(part) for part in version.split(".")))


def locked_versions() -> list[str]:
    """Versions with a lock, newest first."""
    return sorted((path.stem for path in LOCKS.glob("*.json")), key=_key, reverse=True)


def read_release(version: str) -> Release:
    """The locked release of that version.

    Raises `UsageError` for a version without a lock, `EnvironmentProblem` for a damaged lock.
    """
    path = LOCKS / f"{version}.json"
    if version not in locked_versions():
        raise UsageError(
            f"no local node of Elasticsearch {version}: this release of bicross has "
            f"{', '.join(locked_versions())}; name one of them with --version"
        )
    try:
        return Release.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as problem:
        raise EnvironmentProblem(
            f"{path} is not a lock file ({problem}); install bicross again"
        ) from problem
