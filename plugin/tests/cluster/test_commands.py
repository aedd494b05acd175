"""The commands: what they print, what they exit with."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bicross.cli import app
from bicross.errors import DocumentsFailed, EnvironmentProblem, UsageError

MAPPING = {
    "docs-v1": {
        "mappings": {
            "_meta": {
                "bicross": {
                    "fields": {"text_vector": {"input_field": "text", "model_id": "minilm@1f3a9c"}},
                    "reranker": {"model_id": "ms-marco@0badc0"},
                }
            }
        }
    }
}


def hits(*ids: str) -> dict[str, Any]:
    found = [{"_id": each, "_score": 1.0, "_source": {"text": f"text {each}"}} for each in ids]
    return {"took": 3, "hits": {"hits": found}}


@pytest.fixture
def run(script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    Path("bicross.toml").write_text(f'[cluster]\nurl = "{script.url}"\n')
    script.routes["/docs/_mapping"] = (200, MAPPING)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    return invoke


def test_index_prints_its_counts_as_json(script: Any, run: Any) -> None:
    script.routes["/docs/_count"] = (200, {"count": 0})
    Path("docs.jsonl").write_text('{"_id": "a"}\n{"_id": "b"}\n')
    result = run("index", "docs.jsonl", "--index", "docs", "--json")
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    assert (printed["lines"], printed["accepted"], printed["without_vector"]) == (2, 2, 0)


def test_index_with_failed_documents_prints_its_counts_and_raises(script: Any, run: Any) -> None:
    script.routes["/docs/_count"] = (200, {"count": 0})
    script.statuses = {"b": [400]}
    Path("docs.jsonl").write_text('{"_id": "a"}\n{"_id": "b"}\n')
    result = run("index", "docs.jsonl", "--index", "docs", "--json")
    assert isinstance(result.exception, DocumentsFailed)
    assert json.loads(result.stdout)["failed"] == 1
    assert "docs.jsonl.failed.jsonl" in str(result.exception)


def test_search_prints_the_body_that_a_user_could_write(script: Any, run: Any) -> None:
    body = json.loads(run("search", "docs", "a cat", "--show-body", "-k", "5").stdout)
    rerank = body["retriever"]["bicross_rerank"]
    assert (body["size"], rerank["model_id"], rerank["model_text"]) == (
        5,
        "ms-marco@0badc0",
        "a cat",
    )
    assert not any(path == "/docs/_search" for _, path, _ in script.requests)


def test_search_prints_hits_as_a_table_and_as_json(script: Any, run: Any) -> None:
    script.routes["/docs/_search"] = (200, hits("a", "b"))
    assert "text b" in run("search", "docs", "a cat").stdout
    printed = json.loads(run("search", "docs", "a cat", "--json").stdout)
    assert [hit["id"] for hit in printed["hits"]] == ["a", "b"]


def test_search_shows_both_stages_of_one_query(script: Any, run: Any) -> None:
    script.routes["/docs/_search"] = (200, hits("a", "b"))
    printed = json.loads(run("search", "docs", "a cat", "--explain-stages", "--json").stdout)
    assert [(each["id"], each["rise"]) for each in printed["stages"]] == [("a", 0), ("b", 0)]
    assert [path for _, path, _ in script.requests].count("/docs/_search") == 2


def test_deploy_without_an_index_in_the_file_says_what_to_add(run: Any) -> None:
    result = run("deploy")
    assert isinstance(result.exception, UsageError)
    assert "[indices.NAME]" in str(result.exception)


def test_deploy_without_the_plugin_says_what_to_install(script: Any, run: Any) -> None:
    Path("bicross.toml").write_text(
        f'[cluster]\nurl = "{script.url}"\n[indices.docs]\nmodel = "minilm"\n'
    )
    result = run("deploy", "--plan")
    assert isinstance(result.exception, EnvironmentProblem)
    assert "plugin is not installed" in str(result.exception)
