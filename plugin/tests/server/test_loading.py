"""Models load beside the rest of a start, and whoever waits for them is told."""

import threading

from bicross.bundle import Bundle
from bicross.server.loading import Loading
from bicross.server.models.catalog import Catalog
from bicross.server.telemetry.metrics import Metrics

LONG_S = 60.0


def test_every_model_has_been_tried_when_it_tells(bi_bundle: Bundle, cross_bundle: Bundle) -> None:
    catalog, told = Catalog([bi_bundle, cross_bundle]), threading.Event()
    loading = Loading(catalog, 1, Metrics())
    loading.then(told.set)
    assert told.wait(LONG_S)
    assert catalog.ready
    loading.wait()


def test_who_asks_late_is_told_at_once(bi_bundle: Bundle) -> None:
    loading, told = Loading(Catalog([bi_bundle]), 1, Metrics()), threading.Event()
    loading.wait()
    loading.then(told.set)
    assert told.is_set()
