"""A chunk through `_bulk`: 429 is retried item by item, every other refusal is final."""

from typing import Any

import pytest

from bicross.cluster.bulk import BulkSink, BulkWriter, ChunkOutcome, RetryPolicy
from bicross.cluster.connection import Cluster
from bicross.cluster.documents import Document
from bicross.cluster.pace import Pace
from bicross.errors import EnvironmentProblem

POLICY = RetryPolicy(attempts=3, first_s=1.0, longest_s=3.0)


def documents(*ids: str) -> list[Document]:
    return [Document(n, each, {"text": each}, 10) for n, each in enumerate(ids, start=1)]


class Writing:
    """A writer of the scripted cluster whose waits are recorded instead of waited."""

    def __init__(self, cluster: Cluster) -> None:
        self.waits: list[float] = []
        self._writer = BulkWriter(
            BulkSink(cluster.client, "docs"), POLICY, Pace(4), self.waits.append
        )

    def __call__(self, *ids: str) -> ChunkOutcome:
        return self._writer.write(documents(*ids))


def test_documents_answered_429_are_sent_again_alone(script: Any, cluster: Cluster) -> None:
    script.statuses = {"b": [429, 429], "c": [429]}
    write = Writing(cluster)
    outcome = write("a", "b", "c")
    assert script.bulks[:2] == [["a", "b", "c"], ["b", "c"]]
    assert script.bulks[2:] == [["b"]]
    assert (outcome.created, outcome.refusals, outcome.retried) == (3, (), 3)
    assert len(write.waits) == 2


def test_bulks_shrink_while_the_cluster_is_overloaded(script: Any, cluster: Cluster) -> None:
    script.statuses = {each: [429] for each in "abcd"}
    outcome = Writing(cluster)("a", "b", "c", "d")
    assert script.bulks == [["a", "b", "c", "d"], ["a", "b"], ["c", "d"]]
    assert (outcome.created, outcome.retried) == (4, 4)


def test_patience_lasts_as_long_as_there_is_progress(script: Any, cluster: Cluster) -> None:
    script.statuses = {each: [429] * rounds for rounds, each in enumerate("abcdefgh")}
    outcome = Writing(cluster)(*"abcdefgh")
    assert (outcome.created, outcome.refusals) == (8, ())


def test_waits_double_up_to_the_bound_with_jitter(script: Any, cluster: Cluster) -> None:
    script.statuses = {"a": [429] * 4}
    write = Writing(cluster)
    write("a")
    first, second, third = write.waits
    assert 0.5 <= first <= 1.0
    assert 1.0 <= second <= 2.0
    assert 1.5 <= third <= 3.0


def test_a_document_overloaded_to_the_end_is_refused_with_429(
    script: Any, cluster: Cluster
) -> None:
    script.statuses = {"b": [429] * 4}
    outcome = Writing(cluster)("a", "b")
    assert outcome.created == 1
    [refusal] = outcome.refusals
    assert (refusal.id, refusal.line, refusal.status) == ("b", 2, 429)
    assert script.bulks == [["a", "b"], ["b"], ["b"], ["b"]]


@pytest.mark.parametrize("status", [400, 403, 409, 413, 500, 502, 503])
def test_another_refusal_is_final_and_keeps_its_reason(
    script: Any, cluster: Cluster, status: int
) -> None:
    script.statuses = {"b": [status]}
    outcome = Writing(cluster)("a", "b", "c")
    [refusal] = outcome.refusals
    assert (refusal.status, refusal.reason) == (status, f"scripted_exception: status {status}")
    assert refusal.document == {"text": "b"}
    assert (outcome.created, len(script.bulks)) == (2, 1)


def test_a_bulk_refused_as_a_whole_by_429_is_sent_again(script: Any, cluster: Cluster) -> None:
    script.bulk_statuses = [429]
    outcome = Writing(cluster)("a", "b")
    assert (outcome.created, outcome.retried) == (2, 2)


def test_a_bulk_refused_otherwise_stops_with_the_clusters_reason(
    script: Any, cluster: Cluster
) -> None:
    script.bulk_statuses = [403]
    with pytest.raises(EnvironmentProblem, match="403 scripted: bulk 403"):
        Writing(cluster)("a")


def test_a_bulk_that_is_too_large_is_halved_until_one_document_is_at_fault(
    script: Any, cluster: Cluster
) -> None:
    script.bulk_statuses = [413, 200, 413, 413]
    outcome = Writing(cluster)("a", "b", "c", "d")
    assert script.bulks == [["a", "b", "c", "d"], ["a", "b"], ["c", "d"], ["c"], ["d"]]
    assert (outcome.created, [each.id for each in outcome.refusals]) == (3, ["c"])


def test_a_cluster_that_goes_away_stops_the_chunk(script: Any, cluster: Cluster) -> None:
    script.dies_after = 0
    with pytest.raises(EnvironmentProblem, match="no answer"):
        Writing(cluster)("a")


def test_a_run_that_is_being_stopped_ends_its_wait(script: Any, cluster: Cluster) -> None:
    script.statuses = {"a": [429]}
    writer = BulkWriter(BulkSink(cluster.client, "docs"), POLICY, Pace(4), lambda _: True)
    with pytest.raises(EnvironmentProblem, match="stopped"):
        writer.write(documents("a"))


def test_overwritten_documents_are_counted_as_updated(cluster: Cluster) -> None:
    write = Writing(cluster)
    write("a")
    outcome = write("a", "b")
    assert (outcome.created, outcome.updated) == (1, 1)
