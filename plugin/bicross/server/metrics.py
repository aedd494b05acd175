"""Every metric: name, unit, labels. A label holds a name of ours or a number, never a text."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

# 1 ms to 60 s: a cached query on a large machine, a full window on a small one.
SECONDS = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
)  # fmt: skip
RATIOS = (0.25, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256)

MODEL_AND_LANE = ("model", "lane")


class Metrics:
    """The counters of one server. `model` is name@digest, `lane` is search or ingest."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "bicross_requests_total",
            "Answers sent, by route template and HTTP status",
            ("route", "status"),
            registry=self.registry,
        )
        self.request_seconds = self._seconds(
            "bicross_request_seconds", "From the request's first byte to its answer", ("route",)
        )
        self.tokenize_seconds = self._seconds(
            "bicross_tokenize_seconds", "Tokenising one request's texts"
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
        self.truncated = self._count("bicross_truncated_texts_total", "Texts or pairs cut short")
        self.deadline_misses = self._count(
            "bicross_deadline_misses_total", "Requests whose deadline passed before the answer"
        )
        self.abandoned = self._count(
            "bicross_abandoned_requests_total", "Requests whose client left before the answer"
        )
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

    def exposition(self) -> bytes:
        return generate_latest(self.registry)

    def _count(self, name: str, meaning: str) -> Counter:
        return Counter(name, meaning, MODEL_AND_LANE, registry=self.registry)

    def _seconds(
        self, name: str, meaning: str, labels: tuple[str, ...] = MODEL_AND_LANE
    ) -> Histogram:
        return Histogram(name, meaning, labels, buckets=SECONDS, registry=self.registry)
