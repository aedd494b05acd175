"""Bundles that change on disk are taken over while the server answers."""

import ctypes
import gc
import logging
import threading
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Literal

from bicross.bundle import Bundle, open_bundle
from bicross.errors import BicrossError, UsageError
from bicross.server.models.catalog import ServedModel
from bicross.server.models.places import Found, Places, Sighting, sight
from bicross.server.scheduling.priority import yield_to_requests
from bicross.server.serving import Serving

LOG = logging.getLogger("bicross.server")

# A folder that looks the same at two looks is not being written to.
LOOK_S = 1.0

Wish = Literal["look", "end"]


@dataclass
class Slot:
    """What is known of one folder.

    `seen` is how it looked last, `tried` when it was last opened, and `refused` that it did not
    serve then. `model` is what is served from it, from its state `taken`.
    """

    taken: Found
    seen: Sighting | None = None
    tried: Sighting | None = None
    refused: bool = False
    model: ServedModel | None = None


@dataclass(frozen=True)
class Stock:
    """Where the catalog's models were `found`, in its order, and how a bundle becomes another.

    A signal handler may put into `asked`.
    """

    places: Places
    found: Sequence[Found]
    make: Callable[[Bundle], ServedModel]
    watched: bool = False
    asked: "SimpleQueue[Wish]" = field(default_factory=SimpleQueue)


class Swapper:
    """Looks at the folders in a thread of its own: when asked, and where watched every second.

    A changed bundle is verified, loaded and self-tested beside the old one and takes its place at
    once. Who was admitted before ends on the old one, which is released by its last user.
    """

    def __init__(self, stock: Stock, serving: Serving) -> None:
        self._stock = stock
        self._serving = serving
        self._slots = {
            found.folder: Slot(found, found.sighting, found.sighting, model=model)
            for found, model in zip(stock.found, serving.catalog.models, strict=True)
        }
        self._leaving: list[tuple[weakref.ref[ServedModel], str]] = []
        self._unreadable = False
        # A daemon, so that a shutdown need not wait for a model that nobody will use.
        self._thread = threading.Thread(target=self._work, name="bicross-swap", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stock.asked.put("end")

    def _work(self) -> None:
        yield_to_requests()
        while True:
            awake = self._stock.watched or self._leaving
            try:
                if self._stock.asked.get(timeout=LOOK_S if awake else None) == "end":
                    return
                self.look(at_once=True)
            except Empty:
                if self._stock.watched:
                    self.look()
            except Exception:
                LOG.exception("looking at the bundles failed")
            self.release()

    def look(self, *, at_once: bool = False) -> None:
        """Takes over what has changed and has settled since the last look, or `at_once`."""
        try:
            found = self._stock.places.look()
        except OSError as error:
            if not self._unreadable:
                LOG.error("bundles stay as they are: %s cannot be read", error.filename)  # noqa: TRY400
            self._unreadable = True
            return
        self._unreadable = False
        for each in found:
            slot = self._slots.setdefault(each.folder, Slot(each))
            if self._is_due(slot, each.sighting, at_once=at_once):
                self._take(slot, each)
            slot.seen = each.sighting
        self._drop_gone({each.folder for each in found}, at_once=at_once)

    def release(self) -> None:
        """Gives back the memory of models that nobody uses any more."""
        if not self._leaving:
            return
        for reference, _ in self._leaving:
            if (model := reference()) is not None:
                self._serving.scheduler.forget(model)
                del model
        gc.collect()
        gone = [label for reference, label in self._leaving if reference() is None]
        self._leaving = [each for each in self._leaving if each[0]() is not None]
        served = {model.label for model in self._serving.catalog.models}
        for label in gone:
            LOG.info("model %s: released", label)
            if label not in served:
                self._serving.metrics.forget(label)
        if gone:
            _trim()

    @staticmethod
    def _is_due(slot: Slot, sighting: Sighting | None, *, at_once: bool) -> bool:
        if sighting is None:
            return False
        if at_once:
            return slot.tried != sighting or slot.refused
        return slot.tried != sighting == slot.seen

    def _take(self, slot: Slot, found: Found) -> None:
        slot.tried, slot.refused = found.sighting, True
        try:
            model = self._load(slot, found.folder)
            failure = None
        except Exception as error:  # noqa: BLE001  whatever a runtime raises, the old one serves
            model, failure = None, error
        if sight(found.folder) != found.sighting:
            LOG.info("bundle %s is still being written", found.folder.name)
            slot.tried = None
        elif failure is not None:
            self._refuse(slot, found.folder, failure)
        elif model is not None:
            slot.refused = False
            self._put(slot, found, model)

    def _load(self, slot: Slot, folder: Path) -> ServedModel:
        """Verified, and having reproduced its goldens. Raises what keeps it from serving."""
        model = self._stock.make(open_bundle(folder))
        for other in self._slots.values():
            if other is not slot and other.model and other.model.label == model.label:
                raise UsageError(f"given twice: {model.label}; it is served from another folder")
        model.load(self._serving.settings.threads)
        return model

    def _put(self, slot: Slot, found: Found, model: ServedModel) -> None:
        old, slot.model, slot.taken = slot.model, model, found
        self._show("swapped" if old else "added")
        self._serving.metrics.show_model(model.label, ready=True, load_seconds=model.load_seconds)
        LOG.info("model %s: served%s", model.label, f" in place of {old.label}" if old else "")
        if old:
            self._leaving.append((weakref.ref(old), old.label))

    def _refuse(self, slot: Slot, folder: Path, failure: Exception) -> None:
        code, reason = "failed", type(failure).__name__
        if isinstance(failure, BicrossError):
            code, reason = failure.code, str(failure)
        self._serving.metrics.bundle_refusals.labels(code).inc()
        stays = f"; {slot.model.label} goes on serving" if slot.model else ""
        LOG.error("bundle %s is not served: %s%s", folder.name, reason, stays)

    def _drop_gone(self, present: set[Path], *, at_once: bool) -> None:
        for folder in self._slots.keys() - present:
            slot = self._slots[folder]
            if slot.seen is not None and not at_once:
                slot.seen = None
                continue
            del self._slots[folder]
            if slot.model is not None:
                self._show("removed")
                LOG.info("model %s: its folder is gone, and it is not served", slot.model.label)
                self._leaving.append((weakref.ref(slot.model), slot.model.label))

    def _show(self, change: str) -> None:
        """Requests that come from now on find the models of the slots."""
        slots = sorted(self._slots.values(), key=lambda slot: slot.taken.order)
        self._serving.catalog.models = [slot.model for slot in slots if slot.model]
        self._serving.metrics.bundle_changes.labels(change).inc()


def _trim() -> None:
    """Free memory back to the system, which the C library would keep."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
