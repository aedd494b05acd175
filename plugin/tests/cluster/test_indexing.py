"""The ledger: after any stop and any rerun, each line is accepted or a dead letter, once."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bicross.cluster.bulk import RetryPolicy
from bicross.cluster.connection import Cluster
from bicross.cluster.indexing import IndexJob, IndexReport, index_file
from bicross.errors import EnvironmentProblem

RETRIES = RetryPolicy(attempts=2, first_s=1.0, longest_s=1.0)


def corpus(folder: Path, ids: list[str], name: str = "docs.jsonl") -> Path:
    path = folder / name
    path.write_text(
        "".join(json.dumps({"_id": each, "text": f"text {each}"}) + "\n" for each in ids)
    )
    return path


def index(cluster: Cluster, path: Path, **changes: Any) -> IndexReport:
    job = IndexJob(path=path, index="docs", policy=RETRIES, chunk_documents=3, **changes)
    return index_file(cluster, job, pause=lambda _: None)


def letters(path: Path) -> list[dict[str, Any]]:
    file = path.with_name(f"{path.name}.failed.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_every_document_is_written_and_counted(
    script: Any, cluster: Cluster, tmp_path: Path
) -> None:
    report = index(cluster, corpus(tmp_path, list("abcdefgh")))
    assert sorted(script.documents) == list("abcdefgh")
    assert (report.lines, report.accepted, report.failed) == (8, 8, 0)
    assert report.dead_letters is None


def test_failed_documents_are_dead_letters_with_their_reason(
    script: Any, cluster: Cluster, tmp_path: Path
) -> None:
    script.statuses = {"b": [400], "e": [429, 429, 429]}
    path = corpus(tmp_path, list("abcdef"))
    report = index(cluster, path)
    assert (report.accepted, report.failed, report.retried) == (4, 2, 2)
    assert [(each["id"], each["status"]) for each in letters(path)] == [("b", 400), ("e", 429)]
    assert letters(path)[0]["document"] == {"text": "text b"}


def test_a_malformed_line_fails_alone(script: Any, cluster: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "docs.jsonl"
    path.write_text('{"_id": "a"}\nnot json\n{"_id": "c"}\n')
    report = index(cluster, path)
    assert sorted(script.documents) == ["a", "c"]
    assert report.failed == 1
    [letter] = letters(path)
    assert (letter["line"], letter["document"]) == (2, "not json")


def test_a_second_run_sends_nothing_again(script: Any, cluster: Cluster, tmp_path: Path) -> None:
    path = corpus(tmp_path, list("abcd"))
    index(cluster, path)
    script.bulks.clear()
    report = index(cluster, path)
    assert script.bulks == []
    assert (report.resumed, report.accepted) == (4, 0)


def test_a_second_run_retries_what_failed_and_clears_its_letters(
    script: Any, cluster: Cluster, tmp_path: Path
) -> None:
    script.statuses = {"b": [400], "c": [400, 400]}
    path = corpus(tmp_path, list("abcd"))
    index(cluster, path)
    script.bulks.clear()
    report = index(cluster, path)
    assert script.bulks == [["b", "c"]]
    assert (report.resumed, report.accepted, report.failed) == (2, 1, 1)
    assert [each["id"] for each in letters(path)] == ["c"]


@pytest.mark.parametrize("change", ["file", "index"])
def test_a_changed_file_or_a_new_index_starts_over(
    script: Any, cluster: Cluster, tmp_path: Path, change: str
) -> None:
    path = corpus(tmp_path, list("abcd"))
    index(cluster, path)
    if change == "file":
        corpus(tmp_path, list("abcde"))
    else:
        script.index_uuid = "uuid-2"
    assert index(cluster, path).resumed == 0


def test_the_last_of_two_lines_with_one_id_wins_and_both_are_counted(
    script: Any, cluster: Cluster, tmp_path: Path
) -> None:
    path = tmp_path / "docs.jsonl"
    path.write_text('{"_id": "a", "n": 1}\n{"_id": "b"}\n{"_id": "a", "n": 2}\n')
    report = index(cluster, path, writers=4)
    assert script.documents["a"] == {"n": 2}
    assert (report.created, report.updated) == (2, 1)


def test_an_index_that_does_not_exist_names_deploy(
    script: Any, cluster: Cluster, tmp_path: Path
) -> None:
    script.routes["/docs/_settings/index.uuid"] = (404, {"error": "index_not_found_exception"})
    with pytest.raises(EnvironmentProblem, match="bicross deploy"):
        index(cluster, corpus(tmp_path, ["a"]))


@pytest.mark.parametrize(("name", "required"), [("docs", "true"), ("docs-v1", "false")])
def test_an_alias_is_required_to_stay_one_while_documents_are_written(
    script: Any, cluster: Cluster, tmp_path: Path, name: str, required: str
) -> None:
    index_file(cluster, IndexJob(path=corpus(tmp_path, ["a"]), index=name))
    [bulk] = [path for _, path, _ in script.requests if path.startswith("/_bulk")]
    assert f"require_alias={required}" in bulk


def test_progress_ends_at_the_number_of_lines(cluster: Cluster, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    job = IndexJob(path=corpus(tmp_path, list("abcdefg")), index="docs", chunk_documents=2)
    index_file(cluster, job, lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 7)
    assert seen[-1] == (7, 7)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    stops=st.lists(st.integers(0, 4), max_size=4),
    statuses=st.dictionaries(
        st.sampled_from("abcdefghijkl"), st.lists(st.sampled_from([400, 429, 502]), max_size=4)
    ),
    writers=st.integers(1, 3),
)
def test_stopped_anywhere_and_run_again_every_line_has_one_outcome(
    script: Any,
    cluster: Cluster,
    tmp_path_factory: pytest.TempPathFactory,
    stops: list[int],
    statuses: dict[str, list[int]],
    writers: int,
) -> None:
    ids = list("abcdefghijkl")
    path = corpus(tmp_path_factory.mktemp("ledger"), ids)
    script.documents.clear()
    script.statuses = {key: list(value) for key, value in statuses.items()}
    for stop in stops:
        script.bulks.clear()
        script.dies_after = stop
        try:
            index(cluster, path, writers=writers)
        except EnvironmentProblem:
            continue
    script.dies_after = None
    report = index(cluster, path, writers=writers)

    refused = {each["id"] for each in letters(path)}
    assert report.resumed + report.accepted + report.failed == len(ids)
    assert len(refused) == report.failed
    assert set(script.documents) | refused == set(ids)
    assert not set(script.documents) & refused
