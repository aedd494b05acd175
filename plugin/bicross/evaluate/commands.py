"""`bicross evaluate`: is reranking worth its time on these texts?"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bicross.errors import DocumentsFailed

if TYPE_CHECKING:
    from bicross.cluster.connection import Cluster
    from bicross.evaluate.dataset import Collection
    from bicross.evaluate.report import Report

BICROSS_TOML = Path("bicross.toml")


def evaluate(
    folder: Annotated[
        Path, typer.Argument(help="corpus.jsonl[.gz], queries.jsonl, qrels/test.tsv.")
    ],
    bi: Annotated[
        str | None, typer.Option(help="The bi-encoder (default: the only one served).")
    ] = None,
    cross: Annotated[
        str | None, typer.Option(help="The cross-encoder (default: the only one served).")
    ] = None,
    window: Annotated[
        int, typer.Option(min=10, max=1000, help="Hits handed to the cross-encoder.")
    ] = 100,
    limit_queries: Annotated[
        int | None, typer.Option(min=1, help="A sample of the judged queries, fixed seed.")
    ] = None,
    config: Annotated[
        Path, typer.Option("--config", help="Its [cluster] table says where the cluster is.")
    ] = BICROSS_TOML,
    output: Annotated[
        Path | None, typer.Option(help="Also write the result as JSON to this file.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead of text.")
    ] = False,
) -> None:
    """Measure BM25, dense, and dense + rerank on a judged collection, through `_search`."""
    from rich.console import Console

    from bicross.cluster.config import load_config_or_default
    from bicross.cluster.connection import connect
    from bicross.evaluate.dataset import load_collection
    from bicross.evaluate.report import print_report

    collection = load_collection(folder).sampled(limit_queries)
    with connect(load_config_or_default(config).cluster) as cluster:
        report = measure(cluster, collection, (bi, cross), window)
    text = json.dumps(report.record(), ensure_ascii=False, indent=2)
    if output:
        output.write_text(text + "\n", encoding="utf-8")
    if as_json:
        typer.echo(text)
    else:
        print_report(Console(highlight=False), report)
    if unanswered := sum(row.asked - row.answered for row in report.rows):
        raise DocumentsFailed(f"{unanswered} searches were refused; see the notes")


def measure(
    cluster: "Cluster",
    collection: "Collection",
    names: tuple[str | None, str | None],
    window: int,
) -> "Report":
    """Indexes what is not indexed yet, asks every query of every run, and measures."""
    from bicross.cluster.display import shown_progress
    from bicross.cluster.served import read_catalog
    from bicross.evaluate import collection_index as own
    from bicross.evaluate.report import build_report
    from bicross.evaluate.runs import Models, configurations, run_queries, searcher
    from bicross.evaluate.surroundings import latency_notes

    catalog = read_catalog(cluster.client)
    bi = own.chosen_model(catalog, names[0], "text_embedding", "--bi")
    cross = own.chosen_model(catalog, names[1], "rerank", "--cross")
    with shown_progress(f"indexing {collection.name}") as progress:
        index = own.fill_index(cluster, catalog, collection, bi, progress)
    models = Models(bi.pinned, cross.pinned, window)
    search = searcher(cluster.client, index)
    runs = []
    for configuration in configurations(models, own.VECTOR_FIELD, own.TEXT_FIELD):
        with shown_progress(configuration.name) as progress:
            runs.append(run_queries(search, configuration, collection.queries, progress))
    setup: dict[str, Any] = {
        "elasticsearch": cluster.version,
        "index": index,
        "bi": f"{models.bi} ({bi.engine}, {bi.precision})",
        "cross": f"{models.cross} ({cross.engine}, {cross.precision})",
        "window": window,
    }
    return build_report(collection, setup, runs, latency_notes(cluster.client))
