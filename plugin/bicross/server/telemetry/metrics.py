"""Every metric: name, unit, labels. A label holds a name of ours or a number, never a text."""

from dataclasses import dataclass, fields

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

# 1 ms to 120 s, where a request ends: a query on a large machine, a full window on a small one.
# Close together where searches are, so that a quantile read from them is right within a half.
SECONDS = (
    0.001, 0.002, 0.004, 0.006, 0.01, 0.015, 0.025, 0.04, 0.06, 0.1, 0.15, 0.25, 0.4, 0.6,
    1.0, 1.5, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0,
)  # fmt: skip
# What no model does: from a short text or a few numbers to a megabyte of either.
SHORT_SECONDS = (
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0,
)  # fmt: skip
RATIOS = (0.25, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)

MODEL_AND_LANE = ("model", "lane")


@dataclass(frozen=True)
class Series:
    """Those of one model and lane, looked up once: the same names as in `Metrics`."""

    tokenize_seconds: Histogram
    queue_seconds: Histogram
    infer_seconds: Histogram
    serialize_seconds: Histogram
    batch_fill: Histogram
    batch_rows: Histogram
    texts: Counter
    tokens: Counter
    padded_tokens: Counter
    shared_texts: Counter
    partial_answers: Counter
    truncated: Counter
    deadline_misses: Counter
    abandoned: Counter


PER_LANE = tuple(field.name for field in fields(Series))


@dataclass(frozen=True)
class CacheSeries:
    """Those of one model's cache, as `Series`."""

    cache_hits: Counter
    cache_misses: Counter
    cache_bytes: Gauge


PER_CACHE = tuple(field.name for field in fields(CacheSeries))


class Metrics:
    """The counters of one server. `model` is name@digest, `lane` is search or ingest."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # Memory, processor time and open files, as /proc tells them.
        ProcessCollector(registry=self.registry)
        self._series: dict[tuple[str, str], Series] = {}
        self._caches: dict[tuple[str, str], CacheSeries] = {}
        self.requests = Counter(
            "bicross_requests_total",
            "Answers sent, by route template and HTTP status",
            ("route", "status"),
            registry=self.registry,
        )
        self.request_seconds = self._seconds(
            "bicross_request_seconds", "From the request's first byte to its answer", ("route",)
        )
        self.tokenize_seconds = self._short_seconds(
            "bicross_tokenize_seconds", "Tokenising one request's texts"
        )
        self.serialize_seconds = self._short_seconds(
            "bicross_serialize_seconds", "From a request's numbers to its answer's first byte"
        )
        self.queue_seconds = self._seconds(
            "bicross_queue_seconds", "From tokenised to the first run that holds a text of it"
        )
        self.infer_seconds = self._seconds("bicross_infer_seconds", "One run of the model")
        self.batch_fill = Histogram(
            "bicross_batch_fill_ratio",
            "Tokens of a batch that are not padding, by its size",
            MODEL_AND_LANE,
            buckets=RATIOS,
            registry=self.registry,
        )
        self.batch_rows = Histogram(
            "bicross_batch_rows",
            "Sequences in one run of the model",
            MODEL_AND_LANE,
            buckets=ROWS,
            registry=self.registry,
        )
        self.texts = self._count("bicross_texts_total", "Texts or pairs computed")
        self.tokens = self._count("bicross_tokens_total", "Tokens computed, without padding")
        self.padded_tokens = self._count(
            "bicross_padded_tokens_total", "Tokens computed, and what padding cost"
        )
        self.shared_texts = self._count(
            "bicross_shared_texts_total", "Texts or pairs answered by what ran for the same one"
        )
        self.partial_answers = self._count(
            "bicross_partial_answers_total", "Requests answered with what was computed in time"
        )
        self.truncated = self._count("bicross_truncated_texts_total", "Texts or pairs cut short")
        self.deadline_misses = self._count(
            "bicross_deadline_misses_total", "Requests whose deadline passed before the answer"
        )
        self.abandoned = self._count(
            "bicross_abandoned_requests_total", "Requests whose client left before the answer"
        )
        self._of_caches()
        self._of_the_server()

    def _of_caches(self) -> None:
        """A model's `cache` is of queries or of scores, as its task is."""
        labels = ("model", "cache")
        self.cache_hits = Counter(
            "bicross_cache_hits_total",
            "Texts or pairs whose numbers were kept from an earlier request",
            labels,
            registry=self.registry,
        )
        self.cache_misses = Counter(
            "bicross_cache_misses_total",
            "Texts or pairs whose numbers were looked for and not kept",
            labels,
            registry=self.registry,
        )
        self.cache_bytes = Gauge(
            "bicross_cache_bytes", "What the cache holds", labels, registry=self.registry
        )

    def _of_the_server(self) -> None:
        """What has no lane."""
        self.refusals = Counter(
            "bicross_refusals_total",
            "Requests refused, by error code",
            ("code",),
            registry=self.registry,
        )
        self.queue_tokens = Gauge(
            "bicross_queue_tokens",
            "Tokens admitted and not yet answered",
            ("lane",),
            registry=self.registry,
        )
        self.model_ready = Gauge(
            "bicross_model_ready",
            "1 when the bundle has reproduced its goldens",
            ("model",),
            registry=self.registry,
        )
        self.model_load_seconds = Gauge(
            "bicross_model_load_seconds",
            "Loading the bundle and reproducing its goldens, the last time",
            ("model",),
            registry=self.registry,
        )
        self.bundle_changes = Counter(
            "bicross_bundle_changes_total",
            "Bundles taken over from disk while serving: swapped, added or removed",
            ("change",),
            registry=self.registry,
        )
        self.bundle_refusals = Counter(
            "bicross_bundle_refusals_total",
            "Bundles on disk that changed and could not serve, by error code",
            ("code",),
            registry=self.registry,
        )

    def of(self, model: str, lane: str) -> Series:
        found = self._series.get((model, lane))
        if found is None:
            children = {name: getattr(self, name).labels(model, lane) for name in PER_LANE}
            found = self._series[model, lane] = Series(**children)
        return found

    def of_cache(self, model: str, cache: str) -> CacheSeries:
        found = self._caches.get((model, cache))
        if found is None:
            children = {name: getattr(self, name).labels(model, cache) for name in PER_CACHE}
            found = self._caches[model, cache] = CacheSeries(**children)
        return found

    def show_model(self, model: str, *, ready: bool, load_seconds: float | None) -> None:
        """`load_seconds` is None where it could not be loaded."""
        self.model_ready.labels(model).set(ready)
        if load_seconds is not None:
            self.model_load_seconds.labels(model).set(load_seconds)

    def forget(self, model: str) -> None:
        """Removes every series of a model that is not served any more and has no request left."""
        # A copy: requests of other models add theirs meanwhile.
        for known, names in ((self._series, PER_LANE), (self._caches, PER_CACHE)):
            for key in [key for key in list(known) if key[0] == model]:
                del known[key]
                for name in names:
                    getattr(self, name).remove(*key)
        self.model_ready.remove(model)
        self.model_load_seconds.remove(model)

    def exposition(self) -> bytes:
        return generate_latest(self.registry)

    def _count(self, name: str, meaning: str) -> Counter:
        return Counter(name, meaning, MODEL_AND_LANE, registry=self.registry)

    def _short_seconds(self, name: str, meaning: str) -> Histogram:
        return Histogram(
            name, meaning, MODEL_AND_LANE, buckets=SHORT_SECONDS, registry=self.registry
        )

    def _seconds(
        self, name: str, meaning: str, labels: tuple[str, ...] = MODEL_AND_LANE
    ) -> Histogram:
        return Histogram(name, meaning, labels, buckets=SECONDS, registry=self.registry)
