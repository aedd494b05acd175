"""Grafana's dashboard asks for what the server counts, and its files fit together."""

import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client.metrics_core import Metric

from bicross.server.telemetry.metrics import Metrics

DOCKER = Path(__file__).parents[3] / "docker"
GRAFANA = DOCKER / "grafana"
DASHBOARD: dict[str, Any] = json.loads((GRAFANA / "dashboards" / "bicross.json").read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
DRAWN = [panel for panel in PANELS if panel["type"] != "row"]
EXPRESSIONS = sorted({target["expr"] for panel in DRAWN for target in panel["targets"]})
COLUMNS = 24

SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",), "gauge": ("",)}
METRIC = re.compile(r"\b(?:bicross|process)_\w+")
SELECTOR = re.compile(r"(\w+)\{([^}]*)\}")
SUM_BY = re.compile(r"by \(([^)]*)\) \(.*?((?:bicross|process)_\w+)\{")
# Prometheus adds them to what it scrapes.
ADDED = {"instance", "job"}


def families() -> list[Metric]:
    metrics = Metrics()
    metrics.show_model("m@1", ready=True, load_seconds=1.0)
    return list(metrics.registry.collect())


def exposed() -> dict[str, set[str]]:
    """The labels of each series by its name in the exposition."""
    collectors = {
        collector._name: set(collector._labelnames)  # type: ignore[attr-defined]
        for collector in Metrics().registry._collector_to_names
        if hasattr(collector, "_name")
    }
    found = {}
    for family in families():
        labels = collectors.get(family.name, set())
        for suffix in SUFFIXES[family.type]:
            buckets = {"le"} if suffix == "_bucket" else set()
            found[family.name + suffix] = labels | buckets
    return found


EXPOSED = exposed()


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_metric_of_the_dashboard_is_exposed(expression: str) -> None:
    names = METRIC.findall(expression)
    assert names
    assert set(names) <= EXPOSED.keys()


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_label_of_the_dashboard_is_one_of_its_metric(expression: str) -> None:
    for metric, matchers in SELECTOR.findall(expression):
        labels = {matcher.split("=")[0].strip() for matcher in matchers.split(",")}
        assert labels <= EXPOSED[metric] | ADDED
    for labels_of, metric in SUM_BY.findall(expression):
        assert {label.strip() for label in labels_of.split(",")} <= EXPOSED[metric] | ADDED


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_counters_are_read_as_rates_and_quantiles_from_buckets(expression: str) -> None:
    for name in METRIC.findall(expression):
        if name.endswith(("_total", "_bucket", "_sum", "_count")):
            assert re.search(
                rf"(rate|increase)\({name}\{{[^}}]*\}}\[\$__rate_interval\]", expression
            )
    assert ("histogram_quantile" in expression) == ("_bucket" in expression)
    if "_bucket" in expression:
        assert "by (le" in expression


@pytest.mark.parametrize("panel", DRAWN, ids=lambda panel: f"{panel['id']} {panel['title']}")
def test_legend_names_labels_that_the_expression_keeps(panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        kept = ADDED.union(
            *(re.split(r",\s*", by) for by in re.findall(r"by \(([^)]*)\)", target["expr"]))
        )
        assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= kept


@pytest.mark.parametrize(
    "metric",
    [
        "bicross_requests_total",
        "bicross_tokenize_seconds_bucket",
        "bicross_queue_seconds_bucket",
        "bicross_infer_seconds_bucket",
        "bicross_serialize_seconds_bucket",
        "bicross_queue_tokens",
        "bicross_padded_tokens_total",
        "bicross_cache_hits_total",
        "bicross_shared_texts_total",
        "bicross_refusals_total",
        "bicross_deadline_misses_total",
        "bicross_partial_answers_total",
        "bicross_model_ready",
        "process_resident_memory_bytes",
    ],
)
def test_what_an_operator_looks_for_is_drawn(metric: str) -> None:
    assert any(metric in METRIC.findall(expression) for expression in EXPRESSIONS)


def test_latency_is_drawn_as_three_quantiles() -> None:
    for panel in DRAWN:
        quantiles = [re.findall(r"quantile\(([\d.]+)", t["expr"]) for t in panel["targets"]]
        if any(quantiles):
            assert quantiles == [["0.5"], ["0.95"], ["0.99"]]


def test_panels_have_what_grafana_reads() -> None:
    assert Counter(panel["id"] for panel in PANELS).most_common(1)[0][1] == 1
    for panel in PANELS:
        assert panel["type"] in {"row", "stat", "timeseries"}
        assert panel["title"]
    for panel in DRAWN:
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references)
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        for source in (panel["datasource"], *(t["datasource"] for t in panel["targets"])):
            assert source == {"type": "prometheus", "uid": "${datasource}"}


def test_panels_lie_on_the_grid_and_on_no_other() -> None:
    places = [panel["gridPos"] for panel in PANELS]
    for place in places:
        assert place["x"] >= 0
        assert place["x"] + place["w"] <= COLUMNS
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above


def test_every_variable_that_is_used_is_offered() -> None:
    offered = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]+)\b", json.dumps(PANELS)))
    assert used == offered
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            metric, label = re.fullmatch(
                r"label_values\((\w+), (\w+)\)", variable["definition"]
            ).groups()  # type: ignore[union-attr]
            assert label in EXPOSED[metric] | ADDED


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def test_compose_gives_each_part_its_files_and_its_neighbour() -> None:
    services = read(DOCKER / "compose.yaml")["services"]
    mounts = dict(volume.split(":")[:2][::-1] for volume in services["grafana"]["volumes"])
    provider = read(GRAFANA / "provisioning" / "dashboards" / "bicross.yaml")["providers"][0]
    assert (DOCKER / mounts[provider["options"]["path"]] / "bicross.json").is_file()
    assert (DOCKER / mounts["/etc/grafana/provisioning"] / "datasources").is_dir()
    home = services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == provider["options"]["path"] + "/bicross.json"
    (source,) = read(GRAFANA / "provisioning" / "datasources" / "prometheus.yaml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    assert source["type"] == "prometheus"


def test_prometheus_scrapes_the_server_with_its_key() -> None:
    compose = read(DOCKER / "compose.yaml")
    (job,) = read(DOCKER / "prometheus.yaml")["scrape_configs"]
    assert job["static_configs"] == [{"targets": ["server:8380"]}]
    secret = Path(job["authorization"]["credentials_file"]).name
    assert secret in compose["services"]["prometheus"]["secrets"]
    assert compose["secrets"][secret] == {"environment": "BICROSS_API_KEY"}
    interval = read(DOCKER / "prometheus.yaml")["global"]["scrape_interval"]
    (source,) = read(GRAFANA / "provisioning" / "datasources" / "prometheus.yaml")["datasources"]
    assert source["jsonData"]["timeInterval"] == interval


def test_monitoring_runs_only_where_it_is_asked_for_and_on_this_machine_alone() -> None:
    services = read(DOCKER / "compose.yaml")["services"]
    for name in ("prometheus", "grafana"):
        assert services[name]["profiles"] == ["monitoring"]
        assert all(port.startswith("127.0.0.1:") for port in services[name]["ports"])
