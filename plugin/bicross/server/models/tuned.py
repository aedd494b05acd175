"""What each bundle is run with: what was said, else bicross.toml, else this machine's tuning."""

import logging
from collections.abc import Sequence
from pathlib import Path

from bicross.bundle import Bundle
from bicross.runtime import Execution, available_threads
from bicross.server.settings import Settings
from bicross.tuning.choice import BASIS, Pair, Setting, untuned
from bicross.tuning.deployment_file import read_pair
from bicross.tuning.record import cache_file, load

LOG = logging.getLogger("bicross.server")


def apply_tuning(
    bundles: Sequence[Bundle], settings: Settings, config: Path
) -> tuple[Settings, list[Execution | None]]:
    """An execution for each bundle, None where nothing was said of it, and the server's settings.

    The server has as many streams as its widest bundle and batches no larger than the smallest
    that was tuned, unless it was told otherwise. Raises `UsageError` for a file that is not TOML.
    """
    executions: list[Execution | None] = []
    budgets: list[int] = []
    for bundle in bundles:
        pair, origin = _pair(bundle, settings, config)
        tuning = load(cache_file(bundle.manifest.digest), bundle.manifest.digest)
        setting = tuning.setting_of(pair) if tuning and pair else None
        executions.append(_execution(pair, setting, settings))
        if setting is not None:
            budgets.append(setting.batch_tokens)
        sizes = "this machine's tuning" if setting else "the settings"
        name = bundle.manifest.name
        LOG.info("model %s: %s from %s, sizes from %s", name, pair or "default", origin, sizes)
    changes: dict[str, int] = {}
    if settings.streams is None:
        changes["streams"] = max((each.streams for each in executions if each), default=1)
    if budgets and "batch_tokens" not in settings.model_fields_set:
        changes["batch_tokens"] = min(budgets)
    return settings.model_copy(update=changes), executions


def _pair(bundle: Bundle, settings: Settings, config: Path) -> tuple[Pair | None, str]:
    """And where it came from."""
    told = read_pair(config, bundle.manifest)
    if settings.engine or settings.precision:
        base = told or Pair(*BASIS)
        pair = Pair(settings.engine or base.engine, settings.precision or base.precision)
        return pair, "the settings"
    return (told, str(config)) if told else (_default(bundle), "the defaults")


def _default(bundle: Bundle) -> Pair | None:
    """None for a bundle without a float32 graph: the catalog takes its only one."""
    return Pair(*BASIS) if BASIS[1] in bundle.manifest.precisions else None


def _execution(pair: Pair | None, setting: Setting | None, settings: Settings) -> Execution | None:
    if pair is None:
        return None
    tuned = setting or untuned(settings.threads or available_threads())
    threads = settings.threads or tuned.threads
    streams = settings.streams or tuned.streams
    # A search need not wait for an ingest run to end.
    return Execution(pair.engine, pair.precision, threads, streams, tuned.pad_to, spare=True)
