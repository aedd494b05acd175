"""One installed client against every supported server; credentials from the environment alone."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bicross.cluster.config import ClusterTable
from bicross.cluster.connection import (
    CLIENT_MAJOR,
    Cluster,
    Credentials,
    cause_of,
    connect,
    media_type,
)
from bicross.errors import EnvironmentProblem, UsageError

COMPATIBLE = "application/vnd.elasticsearch+json; compatible-with={}"


def test_the_first_request_names_no_version_and_later_ones_the_servers(script: Any) -> None:
    script.version = "8.19.0"
    with connect(ClusterTable(url=script.url)) as cluster:
        cluster.client.indices.refresh(index="docs")
    accepted = [headers["accept"] for _, _, headers in script.requests]
    assert accepted[0] == "application/json"
    assert accepted[-1] == COMPATIBLE.format(8)


def test_a_server_of_the_clients_major_is_asked_for_that_version(script: Any) -> None:
    script.version = f"{CLIENT_MAJOR}.0.0"
    with connect(ClusterTable(url=script.url)) as cluster:
        cluster.client.indices.refresh(index="docs")
    assert script.requests[-1][2]["accept"] == COMPATIBLE.format(CLIENT_MAJOR)


@given(server=st.integers(8, 40))
def test_no_request_asks_for_more_than_client_or_server_speak(server: int) -> None:
    wanted = COMPATIBLE.format(CLIENT_MAJOR)
    assert media_type(wanted, server) == COMPATIBLE.format(min(CLIENT_MAJOR, server))


@pytest.mark.parametrize("kind", ["json", "x-ndjson"])
def test_without_a_known_server_the_type_is_the_plain_one(kind: str) -> None:
    wanted = f"application/vnd.elasticsearch+{kind}; compatible-with={CLIENT_MAJOR}"
    assert media_type(wanted, None) == f"application/{kind}"


def test_other_media_types_pass_unchanged() -> None:
    assert media_type("text/plain", 8) == "text/plain"


def test_version_and_licence_are_read_once(script: Any) -> None:
    script.routes["/_license"] = (200, {"license": {"type": "basic"}})
    with connect(ClusterTable(url=script.url)) as cluster:
        assert cluster.describe() == {"name": "scripted", "version": "9.5.3", "licence": "basic"}
    assert [path for _, path, _ in script.requests] == ["/", "/_license"]


def test_a_node_without_licence_module_has_an_unknown_licence(cluster: Cluster) -> None:
    assert cluster.licence == "unknown"


@pytest.mark.parametrize("version", ["7.17.29", "8.18.4"])
def test_a_server_that_is_too_old_is_refused_with_both_versions(script: Any, version: str) -> None:
    script.version = version
    with (
        pytest.raises(EnvironmentProblem, match=rf"{version}.*8\.19"),
        connect(ClusterTable(url=script.url)),
    ):
        pass


def test_what_is_not_elasticsearch_is_refused(script: Any) -> None:
    script.product = "OpenSearch"
    with (
        pytest.raises(EnvironmentProblem, match="is not Elasticsearch"),
        connect(ClusterTable(url=script.url)),
    ):
        pass


def test_a_cluster_that_does_not_answer_is_named() -> None:
    with (
        pytest.raises(EnvironmentProblem, match=r"127\.0\.0\.1:9 does not answer"),
        connect(ClusterTable(url="http://127.0.0.1:9")),
    ):
        pass


SERVER_SAYS = {"type": "illegal_argument_exception", "reason": "[model_id] is unknown"}


@pytest.mark.parametrize(
    "error",
    [
        SERVER_SAYS,
        {
            "type": "parsing",
            "reason": "failed",
            "caused_by": {"reason": "x", "caused_by": SERVER_SAYS},
        },
        {
            "type": "status",
            "reason": "errors",
            "suppressed": [{"reason": "y", "caused_by": SERVER_SAYS}],
        },
        {
            "type": "phase",
            "reason": "all failed",
            "failed_shards": [{"shard": 0, "reason": SERVER_SAYS}],
        },
        {"root_cause": [SERVER_SAYS]},
    ],
    ids=["plain", "caused by", "suppressed", "shard", "root cause alone"],
)
def test_the_cause_is_what_stands_at_the_bottom(error: dict[str, Any]) -> None:
    assert cause_of(error) == "illegal_argument_exception: [model_id] is unknown"


def test_an_error_without_structure_is_told_as_it_is() -> None:
    assert cause_of("no handler found") == "no handler found"


def test_a_missing_certificate_file_names_itself() -> None:
    table = ClusterTable(url="https://127.0.0.1:9", ca_certs="absent.pem")
    with pytest.raises(UsageError, match=r"absent\.pem"), connect(table):
        pass


def test_an_api_key_of_the_environment_reaches_the_cluster(
    script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BICROSS_ES_API_KEY", "a2V5")
    with connect(ClusterTable(url=script.url)):
        pass
    assert script.requests[0][2]["authorization"] == "ApiKey a2V5"


def test_user_and_password_of_the_environment_reach_the_cluster(
    script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BICROSS_ES_USERNAME", "elastic")
    monkeypatch.setenv("BICROSS_ES_PASSWORD", "secret")
    with connect(ClusterTable(url=script.url)):
        pass
    assert script.requests[0][2]["authorization"] == "Basic ZWxhc3RpYzpzZWNyZXQ="


@pytest.mark.parametrize(
    "variables",
    [
        {"BICROSS_ES_API_KEY": "k", "BICROSS_ES_USERNAME": "u"},
        {"BICROSS_ES_USERNAME": "u"},
        {"BICROSS_ES_PASSWORD": "p"},
    ],
    ids=["two kinds", "no password", "no username"],
)
def test_credentials_that_do_not_fit_together_are_refused(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match="BICROSS_ES_"):
        Credentials().client_arguments()


def test_credentials_do_not_show_when_printed() -> None:
    assert "hunter2" not in repr(Credentials(api_key=SecretStr("hunter2")))
