"""What a server starts with: its bundles, verified and begun to load. Nothing here is of HTTP,
whose packages take as long to import as a small model to load.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import disable_created_metrics

from bicross.bundle import Bundle, open_bundle
from bicross.server.loading import Loading
from bicross.server.models.catalog import Catalog, ServedModel, served_model
from bicross.server.models.places import Places
from bicross.server.models.tuned import apply_tuning
from bicross.server.settings import Settings
from bicross.server.swap import Stock
from bicross.server.telemetry.event_log import configure_log
from bicross.server.telemetry.metrics import Metrics


@dataclass(frozen=True)
class Begun:
    """What is under way before there is an app."""

    stock: Stock
    loading: Loading


@dataclass(frozen=True)
class Opened:
    """`settings` are those that were given, completed by what this machine was tuned to."""

    settings: Settings
    catalog: Catalog
    begun: Begun


def open_models(paths: Sequence[Path], settings: Settings, deployment: Path) -> Opened:
    """Each bundle by the engine and precision that `deployment` names; they load from now on.

    Raises what keeps the server from starting.
    """
    settings.require_secure_bind()
    # A second series per counter with the time of its first event, which nobody asked for.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    configure_log()
    places = Places.of(paths)
    found = places.look()
    bundles = [open_bundle(each.folder) for each in found]
    settings, executions = apply_tuning(bundles, settings, deployment)
    catalog = Catalog(bundles, settings.precision, executions)

    def make(bundle: Bundle) -> ServedModel:
        _, (execution,) = apply_tuning([bundle], settings, deployment)
        return served_model(bundle, settings.precision, execution)

    stock = Stock(places, found, make, settings.watch)
    loading = Loading(catalog, settings.threads, Metrics())
    return Opened(settings, catalog, Begun(stock, loading))
