"""The models' first load, in a thread beside what else a start takes."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread

from bicross.server.models.catalog import Catalog
from bicross.server.scheduling.priority import yield_to_requests
from bicross.server.telemetry.metrics import Metrics


class Loading:
    """Begins at once, and ends when every model of `catalog` has been tried, serving or not."""

    def __init__(self, catalog: Catalog, threads: int | None, metrics: Metrics) -> None:
        self.metrics = metrics
        self._ended: Future[None] = Future()
        self._catalog = catalog
        self._threads = threads
        # A daemon, so that a shutdown need not wait for models that nobody will use.
        Thread(target=self._work, name="bicross-load", daemon=True).start()

    def then(self, tell: Callable[[], None]) -> None:
        """Calls `tell` when all have been tried, from this thread or another."""
        self._ended.add_done_callback(lambda _: tell())

    def wait(self) -> None:
        self._ended.result()

    def _work(self) -> None:
        # An engine starts its threads here.
        yield_to_requests()
        self._catalog.load(self._threads, self.metrics)
        self._ended.set_result(None)
