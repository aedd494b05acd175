"""The models that are served, and the one that a request names."""

import logging
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from secrets import token_bytes
from typing import TypeVar

from bicross.bundle import Bundle
from bicross.bundle.manifest import Manifest
from bicross.bundle.record import Task
from bicross.errors import BicrossError, ModelNotFound, NotReady, UsageError, WrongTask
from bicross.runtime import Encoder, Execution, open_encoder, self_test
from bicross.runtime.engine import require_precision, runnable_precisions
from bicross.server.telemetry.metrics import Metrics

Kind = TypeVar("Kind", bound=Encoder)

LOG = logging.getLogger("bicross.server")

DIGEST_DIGITS = 12
# So many failed runs in a row mean that the model is broken here, rather than some text odd.
FAILURES_UNTIL_UNREADY = 3

MODEL_ID = re.compile(r"(?P<name>[^@]+)(?:@(?P<digest>[0-9a-f]{6,64}))?")


@dataclass(eq=False)
class ServedModel:
    """A bundle at one precision. `encoder` is None until it has reproduced its goldens here.

    `secret` is in the keys of its sequences, so that no other model's numbers are found by them.
    """

    bundle: Bundle
    precision: str
    execution: Execution | None = None
    encoder: Encoder | None = field(default=None, init=False)
    failures_in_a_row: int = field(default=0, init=False)
    load_seconds: float | None = field(default=None, init=False)
    secret: bytes = field(default_factory=token_bytes, init=False, repr=False)

    @property
    def manifest(self) -> Manifest:
        return self.bundle.manifest

    @property
    def engine(self) -> str:
        return self.execution.engine if self.execution else Execution().engine

    @property
    def label(self) -> str:
        """The name that answers, logs and metrics give it."""
        return f"{self.manifest.name}@{self.manifest.digest[:DIGEST_DIGITS]}"

    @property
    def ready(self) -> bool:
        return self.encoder is not None and self.failures_in_a_row < FAILURES_UNTIL_UNREADY

    @property
    def streams(self) -> int:
        """How many runs side by side are worth having; 1 until it is loaded."""
        return self.encoder.streams if self.encoder else 1

    def require_encoder(self) -> Encoder:
        if self.encoder is None:
            raise NotReady(
                f"model {self.label} is not ready: it is loading, or has failed its self-test "
                "(see the server's log)",
                retry_after_s=1,
            )
        return self.encoder

    def require(self, kind: type[Kind]) -> Kind:
        """Its encoder, which is of that kind, as the model's task says."""
        encoder = self.require_encoder()
        if not isinstance(encoder, kind):
            raise TypeError(f"model {self.label} has no {kind.__name__}")
        return encoder

    def load(self, threads: int | None) -> None:
        """Loads and proves the model. Raises a `BicrossError` that says why it cannot serve."""
        began = time.monotonic()
        execution = self.execution or Execution(precision=self.precision, threads=threads)
        encoder = open_encoder(self.bundle, execution)
        comparison = self_test(encoder, self.bundle)
        self.encoder = encoder
        self.load_seconds = time.monotonic() - began
        LOG.info(
            "model %s, %s %s: ready; goldens differ by %.2g, Kendall tau %.4f",
            self.label,
            self.engine,
            self.precision,
            comparison.max_abs_diff,
            comparison.min_tau,
        )


class Catalog:
    """Several bundles may share a name; the bare name means the one given first.

    Whoever swaps a bundle puts a new list in the place of `models`, from a thread of its own; so
    each question reads it once.
    """

    def __init__(
        self,
        bundles: Sequence[Bundle],
        precision: str | None = None,
        executions: Sequence[Execution | None] = (),
    ) -> None:
        """`executions` say how each bundle is run, `precision` which graph where they do not."""
        self.models = [
            served_model(bundle, precision, execution)
            for bundle, execution in zip_longest(bundles, executions)
        ]
        labels = [model.label for model in self.models]
        if doubled := {label for label in labels if labels.count(label) > 1}:
            raise UsageError(f"given twice: {', '.join(sorted(doubled))}; name each bundle once")

    @property
    def ready(self) -> bool:
        return all(model.ready for model in self.models)

    def load(self, threads: int | None, metrics: Metrics) -> None:
        """Every model that is not loaded yet; one that fails is logged, and the others serve."""
        for model in self.models:
            try:
                if model.encoder is None:
                    model.load(threads)
            except BicrossError as error:
                LOG.error("model %s is not served: %s", model.label, error)  # noqa: TRY400
            except Exception:
                LOG.exception("model %s is not served", model.label)
            metrics.show_model(model.label, ready=model.ready, load_seconds=model.load_seconds)

    def find(self, model_id: str, task: Task) -> ServedModel:
        """The model that `model_id` names: a name, or name@digest with 6 or more hex digits.

        Raises `ModelNotFound`, listing what is served, and `WrongTask`.
        """
        matches = self._matches(model_id)
        if not matches:
            served = ", ".join(self.ids()) or "none"
            raise ModelNotFound(
                f"no model {_printable(model_id)} is served here; served are: {served}",
                param="model",
            )
        model = matches[0]
        if model.manifest.task != task:
            raise WrongTask(
                f"model {model.manifest.name} is for {model.manifest.task}; "
                f"this request needs {task}",
                param="model",
            )
        return model

    def ids(self) -> list[str]:
        return [model_id for model_id, _ in self.listed()]

    def listed(self) -> list[tuple[str, ServedModel]]:
        """Under a plain name the first of each name, under name@digest the others."""
        seen = set[str]()
        listed = []
        for model in self.models:
            name = model.manifest.name
            listed.append((model.label if name in seen else name, model))
            seen.add(name)
        return listed

    def _matches(self, model_id: str) -> list[ServedModel]:
        parts = MODEL_ID.fullmatch(model_id)
        if parts is None:
            return []
        digest = parts["digest"] or ""
        matches = [
            model
            for model in self.models
            if model.manifest.name == parts["name"] and model.manifest.digest.startswith(digest)
        ]
        if digest and len(matches) > 1:
            raise ModelNotFound(
                f"{_printable(model_id)} names {len(matches)} models: "
                f"{', '.join(model.label for model in matches)}; give more digits",
                param="model",
            )
        return matches


def served_model(bundle: Bundle, precision: str | None, execution: Execution | None) -> ServedModel:
    """Not loaded yet. Raises `UsageError` for a precision that cannot be run."""
    if execution is None:
        return ServedModel(bundle, _precision(bundle, precision))
    require_precision(bundle.manifest, execution.precision, execution.engine)
    return ServedModel(bundle, execution.precision, execution)


def _precision(bundle: Bundle, wanted: str | None) -> str:
    """What was asked for, else fp32, else the only one there is."""
    if wanted is not None:
        require_precision(bundle.manifest, wanted)
        return wanted
    offered = runnable_precisions(bundle.manifest)
    if "fp32" in offered:
        return "fp32"
    if len(offered) == 1:
        return offered[0]
    raise UsageError(
        f"bundle {bundle.manifest.name} has {', '.join(offered)}; choose one with --precision"
    )


def _printable(name: str) -> str:
    """In quotes, on one line, and not longer than a name may be."""
    return repr(name if len(name) <= 140 else name[:140] + "…")
