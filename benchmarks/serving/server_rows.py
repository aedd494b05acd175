"""Rounds over servers, and a row of figures for each."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.serving.figures import rotated
from benchmarks.serving.quality import Array, overlap, tau
from benchmarks.serving.scenarios import SCENARIOS, Figures, Load, run

# What each scenario is compared by: more is better.
RATES = {"singles": "queries_per_s", "bulk": "tokens_per_s", "rerank": "windows_per_s"}
# Servers are set beside the one that most teams would write, and beside the best of all peers.
PLAIN = "plain FastAPI + onnxruntime"
OURS = "bicross"

Rounds = dict[str, list[Figures]]


def server_rows(
    loads: Sequence[Load], rounds: int, say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """A row for each server; every scenario goes round all of them before the next begins."""
    found: dict[str, Rounds] = {
        load.server.name: {name: [] for name in SCENARIOS} for load in loads
    }
    for number in range(rounds):
        for name, scenario in SCENARIOS.items():
            for load in rotated(loads, number):
                figures = run(scenario, load)
                found[load.server.name][name].append(figures)
                say(f"round {number + 1}, {name}, {load.server.name}: {_brief(figures)}")
    return [
        {
            "server": load.server.name,
            "start_s": load.server.start_s or None,
            "rss_mib": load.server.rss_mib(),
            **medians(found[load.server.name]),
            **ratios(found, load.server.name),
            **ratios_to_best(found, load.server.name),
        }
        for load in loads
    ]


def medians(rounds: Mapping[str, Sequence[Figures]]) -> dict[str, Any]:
    """Of each figure over the rounds, by scenario; `bulk_kept` is the share of its unloaded rate
    that bulk keeps while single queries come.
    """
    table: dict[str, Any] = {
        name: {key: _median([figures[key] for figures in turns]) for key in turns[0]}
        for name, turns in rounds.items()
    }
    kept = [
        beside["tokens_per_s"] / alone["tokens_per_s"]
        for beside, alone in zip(rounds["mixed"], rounds["bulk"], strict=True)
        if alone["tokens_per_s"]
    ]
    return table | {"bulk_kept": median(kept) if kept else None}


def ratios(found: Mapping[str, Mapping[str, Sequence[Figures]]], name: str) -> dict[str, float]:
    """How many times the plain server's rate, the median of the rounds' ratios."""
    return {
        f"{scenario}_x": value
        for scenario, value in _ratios(found, name, [PLAIN] if PLAIN in found else []).items()
    }


def ratios_to_best(
    found: Mapping[str, Mapping[str, Sequence[Figures]]], name: str
) -> dict[str, float]:
    """How many times the rate of the round's best peer, for each scenario; none for a peer."""
    if not name.startswith(OURS):
        return {}
    peers = [peer for peer in found if not peer.startswith(OURS)]
    return {
        f"{scenario}_x_best_peer": value for scenario, value in _ratios(found, name, peers).items()
    }


def _ratios(
    found: Mapping[str, Mapping[str, Sequence[Figures]]], name: str, peers: Sequence[str]
) -> dict[str, float]:
    """Of each scenario's rate to that of the best of `peers`; nothing without any."""
    if not peers:
        return {}
    return {
        scenario: median(
            own[key] / best if (best := max(figures[key] for figures in others)) else 0.0
            for own, *others in zip(
                found[name][scenario], *(found[peer][scenario] for peer in peers), strict=True
            )
        )
        for scenario, key in RATES.items()
    }


def agreement(reference: tuple[Array, Array], own: tuple[Array, Array]) -> dict[str, float]:
    """Whether two servers compute the same: vectors, and the order of the window."""
    return {
        "vectors_differ_by": float(abs(own[0] - reference[0]).max()),
        "window_overlap": overlap(reference[1], own[1]),
        "window_tau": tau(reference[1], own[1]),
    }


def _median(values: Sequence[float | None]) -> float | None:
    """Of those that there are: a round in which nothing was answered has no latency."""
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _brief(figures: Figures) -> str:
    return ", ".join(f"{key} {value:,.1f}" for key, value in figures.items() if value is not None)
