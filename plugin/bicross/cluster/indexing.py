"""A file of JSON lines into an index: every line ends accepted or as a dead letter, once."""

import os
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from elasticsearch import NotFoundError

from bicross.cluster.bulk import BulkSink, BulkWriter, ChunkOutcome, RetryPolicy, Wait
from bicross.cluster.checkpoint import Checkpoint, binding
from bicross.cluster.connection import Cluster
from bicross.cluster.dead_letters import DeadLetters, Refusal
from bicross.cluster.documents import (
    Document,
    Line,
    Malformed,
    ParseLine,
    identify,
    ids_of,
    json_line,
    read_chunks,
)
from bicross.cluster.pace import Pace
from bicross.errors import EnvironmentProblem

BAD_REQUEST = 400


@dataclass(frozen=True)
class IndexJob:
    """What to index and how. `state` is the folder of the journal and the dead letters."""

    path: Path
    index: str
    parse: ParseLine = field(default_factory=lambda: json_line("_id"))
    state: Path | None = None
    chunk_documents: int = 100
    chunk_bytes: int = 8 << 20
    writers: int = 2
    policy: RetryPolicy = field(default_factory=RetryPolicy)


@dataclass(frozen=True)
class IndexReport:
    """Lines, each counted once: `resumed` were accepted by an earlier run, the rest by this one."""

    lines: int
    resumed: int
    created: int
    updated: int
    failed: int
    retried: int
    dead_letters: Path | None

    @property
    def accepted(self) -> int:
        return self.created + self.updated

    def record(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "accepted": self.accepted,
            "dead_letters": str(self.dead_letters) if self.dead_letters else None,
        }


Progress = Callable[[int, int], None]


def no_progress(done: int, total: int) -> None:
    """For callers without a terminal."""


def index_file(
    cluster: Cluster, job: IndexJob, progress: Progress = no_progress, pause: Wait | None = None
) -> IndexReport:
    """Indexes what no earlier run has, and tries again what failed in one.

    `progress` gets the lines settled and all lines. Raises `EnvironmentProblem` where the index
    does not exist or the cluster goes away; what was settled by then stays settled.
    """
    identity = identify(job.path)
    state = job.state or state_folder(job.path)
    name = f"{job.path.name}.{job.index}"
    letters = DeadLetters(state / f"{job.path.name}.failed.jsonl")
    journal = state / f".{name}.bicross-progress.jsonl"
    target = destination(cluster, job.index)
    bound = binding(identity, cluster.uuid, target.uuid)
    stop = Event()
    # An alias that vanishes under way must fail documents, not make an index without a pipeline.
    sink = BulkSink(cluster.client, job.index, require_alias=target.aliased)
    writer = BulkWriter(sink, job.policy, Pace(job.chunk_documents), pause or stop.wait)
    with Checkpoint(journal, bound) as checkpoint:
        resumed = len(checkpoint.accepted)
        letters.keep(checkpoint.failed)
        tally = _Tally()
        progress(resumed, identity.lines)
        with closing(_outcomes(job, checkpoint, writer, stop)) as outcomes:
            for lines, outcome in outcomes:
                letters.append(outcome.refusals)
                checkpoint.settle([line.line for line in lines], {r.line for r in outcome.refusals})
                tally.add(outcome)
                progress(resumed + tally.settled, identity.lines)
        letters.keep(checkpoint.failed)
        failed = len(checkpoint.failed)
    cluster.client.indices.refresh(index=job.index)
    return IndexReport(
        lines=identity.lines,
        resumed=resumed,
        created=tally.created,
        updated=tally.updated,
        failed=failed,
        retried=tally.retried,
        dead_letters=letters.path if failed else None,
    )


@dataclass
class _Tally:
    created: int = 0
    updated: int = 0
    refused: int = 0
    retried: int = 0

    def add(self, outcome: ChunkOutcome) -> None:
        self.created += outcome.created
        self.updated += outcome.updated
        self.refused += len(outcome.refusals)
        self.retried += outcome.retried

    @property
    def settled(self) -> int:
        return self.created + self.updated + self.refused


def _outcomes(
    job: IndexJob, checkpoint: Checkpoint, writer: BulkWriter, stop: Event
) -> Generator[tuple[list[Line], ChunkOutcome], None, None]:
    """Chunks as they are answered, at most `writers` under way, no id in two of them at once."""
    chunks = read_chunks(
        job.path, job.parse, checkpoint.pending, (job.chunk_documents, job.chunk_bytes)
    )
    under_way: dict[Future[ChunkOutcome], list[Line]] = {}
    with ThreadPoolExecutor(job.writers, thread_name_prefix="bicross-bulk") as pool:
        try:
            for chunk in chunks:
                while len(under_way) == job.writers or _share_an_id(under_way, chunk):
                    yield from _answered(under_way)
                under_way[pool.submit(_write, writer, chunk)] = chunk
            while under_way:
                yield from _answered(under_way)
        finally:
            # Leaving waits for the threads; one that waits out a 429 must not keep it for minutes.
            stop.set()


def _share_an_id(under_way: dict[Future[ChunkOutcome], list[Line]], chunk: list[Line]) -> bool:
    ids = ids_of(chunk)
    return any(ids & ids_of(other) for other in under_way.values())


def _answered(
    under_way: dict[Future[ChunkOutcome], list[Line]],
) -> Iterator[tuple[list[Line], ChunkOutcome]]:
    done, _ = wait(under_way, return_when=FIRST_COMPLETED)
    # A chunk that ended well is settled before another's error ends the run.
    for future in sorted(done, key=lambda ended: ended.exception() is not None):
        yield under_way.pop(future), future.result()


def _write(writer: BulkWriter, chunk: list[Line]) -> ChunkOutcome:
    malformed = tuple(
        Refusal(line.line, None, BAD_REQUEST, line.reason, line.text)
        for line in chunk
        if isinstance(line, Malformed)
    )
    documents = [line for line in chunk if isinstance(line, Document)]
    if not documents:
        return ChunkOutcome(0, 0, malformed, 0)
    outcome = writer.write(documents)
    return ChunkOutcome(
        outcome.created, outcome.updated, outcome.refusals + malformed, outcome.retried
    )


@dataclass(frozen=True)
class Destination:
    """The very index that a name stands for: its uuid, and whether the name is an alias of it."""

    uuid: str
    aliased: bool


def destination(cluster: Cluster, name: str) -> Destination:
    """Raises `EnvironmentProblem` where there is no such index: deploy makes it, not a bulk."""
    try:
        found = cluster.client.indices.get_settings(index=name, name="index.uuid").body
    except NotFoundError:
        raise EnvironmentProblem(
            f"the cluster has no index {name}; describe it in bicross.toml and run bicross deploy"
        ) from None
    uuids = sorted(str(each["settings"]["index"]["uuid"]) for each in found.values())
    return Destination(",".join(uuids), aliased=name not in found)


def state_folder(path: Path) -> Path:
    """The file's own folder, or one below the user's state folder where that may not be written."""
    if os.access(path.parent, os.W_OK):
        return path.parent
    base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    folder = base / "bicross" / path.resolve().parent.as_posix().strip("/").replace("/", "-")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
