"""Which Elasticsearch version to start, on which Java, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from bicross.errors import EnvironmentProblem
from bicross.local.java import JavaRuntime, how_to_install
from bicross.local.releases import Release, locked_versions, read_release


@dataclass(frozen=True)
class Choice:
    """A release, the runtime for it, and the reason in a sentence for the reader."""

    release: Release
    runtime: JavaRuntime
    reason: str

    @property
    def on_module_path(self) -> bool:
        """Whether the server runs as Java modules, as in the distribution.

        A trimmed runtime lacks modules that only enforcing entitlements requires. The server's
        modules do not resolve there, yet it runs as well from the class path.
        """
        return not self.runtime.lacking(self.release.entitlement_modules)


def choose(version: str | None, runtimes: Sequence[JavaRuntime]) -> Choice:
    """The release asked for, else the newest that one of `runtimes` can run.

    The first runtime that can run it is taken. Raises `UsageError` for a version without a lock,
    `EnvironmentProblem` where no runtime will do, saying what stands in the way of each.
    """
    if version is not None:
        release = read_release(version)
        runtime = _first_fit(release, runtimes)
        if runtime is None:
            raise EnvironmentProblem(_no_runtime(release, runtimes))
        return Choice(release, runtime, _on(release, runtime))
    passed_over: list[str] = []
    for candidate in locked_versions():
        release = read_release(candidate)
        runtime = _first_fit(release, runtimes)
        if runtime is not None:
            newest = "the newest version" if not passed_over else "the newest that can run here"
            reason = "; ".join([f"{_on(release, runtime)}: {newest}", *passed_over])
            return Choice(release, runtime, reason)
        passed_over.append(f"{candidate} cannot: {_obstacles(release, runtimes)}")
    raise EnvironmentProblem(_no_runtime(read_release(locked_versions()[-1]), runtimes))


def _first_fit(release: Release, runtimes: Sequence[JavaRuntime]) -> JavaRuntime | None:
    return next((one for one in runtimes if one.obstacle(release) is None), None)


def _on(release: Release, runtime: JavaRuntime) -> str:
    text = (
        f"Elasticsearch {release.version} on Java {runtime.major} "
        f"({runtime.home}, from {runtime.origin})"
    )
    lacking = runtime.lacking(release.entitlement_modules)
    return f"{text}, from the class path since it lacks {', '.join(lacking)}" if lacking else text


def _obstacles(release: Release, runtimes: Sequence[JavaRuntime]) -> str:
    return ", ".join(obstacle for one in runtimes if (obstacle := one.obstacle(release)))


def _no_runtime(release: Release, runtimes: Sequence[JavaRuntime]) -> str:
    found = _obstacles(release, runtimes) or "no Java was found"
    return (
        f"Elasticsearch {release.version} takes Java {release.java} or newer, and {found}; "
        f"{how_to_install(release.java)}"
    )
