"""`bicross deploy`, `index`, `search` and `evaluate`, as a user types them."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from animals import SUBJECTS, animal_documents
from rest import Rest
from server_process import ROOT

BICROSS = ROOT / ".venv" / "bin" / "bicross"
CONFIG = """\
[cluster]
url = "{url}"

[indices.zoo]
model = "tiny-bi"
reranker = "tiny-cross"
replicas = 0
properties.tag.type = "keyword"
"""


@dataclass(frozen=True)
class Commands:
    """Runs `bicross` in `folder`, where bicross.toml lies."""

    folder: Path

    def run(self, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [BICROSS, *arguments], cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def json(self, *arguments: str, status: int = 0) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.run(*arguments, "--json", status=status).stdout)
        return answer

    def write_jsonl(self, name: str, rows: Sequence[dict[str, Any]]) -> str:
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (self.folder / name).write_text(text)
        return name


@pytest.fixture
def commands(rest: Rest, tmp_path: Path) -> Any:  # noqa: ANN401  a generator
    (tmp_path / "bicross.toml").write_text(CONFIG.format(url=str(rest.http.base_url)))
    yield Commands(tmp_path)
    rest.call("DELETE", "/zoo-v1")
    rest.call("DELETE", "/_index_template/zoo")
    rest.call("DELETE", "/_ingest/pipeline/zoo-embed")


def zoo_rows(count: int = 100) -> list[dict[str, Any]]:
    return [{"_id": document_id, **source} for document_id, source in animal_documents(count)]


def test_deploy_shows_then_makes_then_has_nothing_to_do(rest: Rest, commands: Commands) -> None:
    planned = commands.json("deploy", "--plan")
    assert (len(planned["changes"]), planned["applied"]) == (3, False)
    assert rest.call("GET", "/zoo")[0] == 404
    assert len(commands.json("deploy")["changes"]) == 3
    assert commands.json("deploy")["changes"] == []


def test_deploy_writes_where_the_vectors_come_from(rest: Rest, commands: Commands) -> None:
    commands.run("deploy")
    (index,) = rest.ok("GET", "/zoo/_mapping").values()
    told = index["mappings"]["_meta"]["bicross"]["fields"]["text_vector"]
    (row,) = rest.ok("GET", "/_bicross")["nodes"].values()
    served = {model["id"]: model for model in row["endpoints"][0]["urls"][0]["serves"]}["tiny-bi"]
    same = ("digest", "engine", "precision")
    assert [told[key] for key in same] == [served[key] for key in same]
    embed = rest.ok("GET", "/_ingest/pipeline/zoo-embed")["zoo-embed"]
    assert embed["_meta"]["bicross"]["digest"] == served["digest"]
    assert index["mappings"]["properties"]["text_vector"]["dims"] == served["dimensions"]


def test_index_counts_each_document_and_keeps_the_failed_ones(
    rest: Rest, commands: Commands
) -> None:
    commands.run("deploy")
    wrong: list[dict[str, Any]] = [
        {"_id": "list", "text": ["a cat", "a dog"]},
        {"_id": "number", "text": 3},
    ]
    file = commands.write_jsonl("zoo.jsonl", [*zoo_rows(), *wrong, {"_id": "bare", "tag": "cat"}])
    report = commands.json("index", file, "--index", "zoo", status=1)
    assert (report["accepted"], report["failed"], report["without_vector"]) == (101, 2, 1)
    assert rest.ok("GET", "/zoo/_count")["count"] == 101
    letters = Path(report["dead_letters"])
    rows = [json.loads(line) for line in (commands.folder / letters).read_text().splitlines()]
    assert {(row["id"], row["status"]) for row in rows} == {("list", 400), ("number", 400)}
    again = commands.json("index", file, "--index", "zoo", status=1)
    assert (again["resumed"], again["accepted"], again["failed"]) == (101, 0, 2)


def test_search_prints_what_the_body_that_it_shows_finds(rest: Rest, commands: Commands) -> None:
    commands.run("deploy")
    commands.run("index", commands.write_jsonl("zoo.jsonl", zoo_rows()), "--index", "zoo")
    found = commands.json("search", "zoo", "horse milk", "-k", "5")
    shown = json.loads(commands.run("search", "zoo", "horse milk", "-k", "5", "--show-body").stdout)
    hits = rest.hits("zoo", shown.get("body", shown))
    assert [hit["id"] for hit in found["hits"]] == [hit["_id"] for hit in hits]
    stages = commands.json("search", "zoo", "horse milk", "-k", "5", "--explain-stages")["stages"]
    assert len(stages) >= 5
    table = commands.run("search", "zoo", "horse milk", "--explain-stages").stdout
    assert any(subject in table for subject in SUBJECTS)


def test_evaluate_measures_three_runs_through_the_cluster(commands: Commands) -> None:
    folder = commands.folder / "tiny-animals"
    (folder / "qrels").mkdir(parents=True)
    rows = [{**row, "title": row["tag"]} for row in zoo_rows()]
    commands.write_jsonl("tiny-animals/corpus.jsonl", rows)
    queries = [{"_id": f"q{n}", "text": f"{SUBJECTS[n]} that likes milk"} for n in range(5)]
    commands.write_jsonl("tiny-animals/queries.jsonl", queries)
    # The odd ones drink milk, so that words alone find exactly the relevant ones.
    judgements = [
        f"q{n}\t{row['_id']}\t1" for n in range(5) for row in rows[n::5] if int(row["_id"]) % 2
    ]
    lines = ["query-id\tcorpus-id\tscore", *judgements]
    (folder / "qrels" / "test.tsv").write_text("\n".join(lines) + "\n")
    report = commands.json("evaluate", str(folder), "--window", "20")
    assert [run["answered"] for run in report["runs"]] == [5, 5, 5]
    assert all(0 <= run["ndcg_10"] <= 1 for run in report["runs"])
    assert report["runs"][0]["ndcg_10"] == pytest.approx(1)


def test_a_command_that_cannot_reach_the_cluster_says_so_with_status_5(commands: Commands) -> None:
    (commands.folder / "bicross.toml").write_text('[cluster]\nurl = "http://127.0.0.1:1"\n')
    done = commands.run("search", "zoo", "horse", status=5)
    assert "127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr


def test_other_dimensions_in_the_index_are_a_conflict_and_change_nothing(
    rest: Rest, commands: Commands
) -> None:
    vector = {"type": "dense_vector", "dims": 8}
    body = {"mappings": {"properties": {"text_vector": vector}}, "aliases": {"zoo": {}}}
    rest.ok("PUT", "/zoo-v1", body)
    done = commands.run("deploy", status=2)
    assert "8" in done.stderr
    assert "16" in done.stderr
    assert rest.call("GET", "/_ingest/pipeline/zoo-embed")[0] == 404
