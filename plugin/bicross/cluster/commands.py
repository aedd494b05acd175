"""`bicross deploy`, `bicross index` and `bicross search`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bicross.errors import DocumentsFailed, UsageError

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch
    from rich.console import Console

    from bicross.cluster.searching import SearchBodies, SearchRequest, SearchTarget

ConfigOption = Annotated[
    Path, typer.Option("--config", help="The file that describes cluster, models and indices.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
BICROSS_TOML = Path("bicross.toml")


def deploy(
    plan: Annotated[
        bool, typer.Option("--plan", help="Show what would change, change nothing.")
    ] = False,
    config: ConfigOption = BICROSS_TOML,
    as_json: JsonOption = False,
) -> None:
    """Make the cluster's pipelines, templates, indices and aliases what bicross.toml says."""
    from bicross.cluster.apply import apply
    from bicross.cluster.apply import plan as planned
    from bicross.cluster.config import load_config
    from bicross.cluster.connection import connect
    from bicross.cluster.display import change_record, print_plan
    from bicross.cluster.served import read_catalog

    wanted = load_config(config)
    if not wanted.indices:
        raise UsageError(f"{config} describes no index; add a table [indices.NAME] with its model")
    with connect(wanted.cluster) as cluster:
        changes = planned(cluster.client, wanted, read_catalog(cluster.client))
        if not plan:
            apply(cluster.client, changes)
    if as_json:
        records = [change_record(change) for change in changes]
        print_json({"cluster": cluster.describe(), "changes": records, "applied": not plan})
    else:
        print_plan(console(), changes, done=not plan)


def index(
    file: Annotated[Path, typer.Argument(help="Documents, one JSON object a line; .gz as well.")],
    to: Annotated[str, typer.Option("--index", help="The index or alias to write to.")],
    config: ConfigOption = BICROSS_TOML,
    id_field: Annotated[str, typer.Option(help="The field that holds a document's id.")] = "_id",
    state: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the progress journal and of failed documents (default: the file's)."
        ),
    ] = None,
    chunk: Annotated[
        int, typer.Option(min=1, max=10_000, help="Documents in one bulk, at most.")
    ] = 100,
    writers: Annotated[int, typer.Option(min=1, max=32, help="Bulks under way at once.")] = 2,
    as_json: JsonOption = False,
) -> None:
    """Index a file's documents; a second run goes on where one was cut, and retries failures."""
    from bicross.cluster.actual import documents_without_vector
    from bicross.cluster.config import load_config_or_default
    from bicross.cluster.connection import connect
    from bicross.cluster.display import print_counts, shown_progress
    from bicross.cluster.documents import json_line
    from bicross.cluster.indexing import IndexJob, index_file

    job = IndexJob(
        path=file,
        index=to,
        parse=json_line(id_field),
        state=state,
        chunk_documents=chunk,
        writers=writers,
    )
    with connect(load_config_or_default(config).cluster) as cluster:
        with shown_progress(f"indexing {file.name}") as progress:
            report = index_file(cluster, job, progress)
        without = documents_without_vector(cluster.client, to)
    if as_json:
        print_json({**report.record(), "without_vector": without})
    else:
        print_counts(console(), report, without)
    if report.failed:
        raise DocumentsFailed(
            f"{report.failed} documents were not indexed; each with its reason in "
            f"{report.dead_letters}; mend the cause and run the command again: it retries these"
        )


def search(
    index: Annotated[str, typer.Argument(help="The index or alias to search.")],
    text: Annotated[str, typer.Argument(help="The query.")],
    size: Annotated[int, typer.Option("--size", "-k", min=1, help="Hits to print.")] = 10,
    window: Annotated[
        int | None,
        typer.Option(
            min=1, help="Hits handed to the reranker (default: 50, or --size where larger)."
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="The bi-encoder (default: the index's own).")
    ] = None,
    reranker: Annotated[
        str | None, typer.Option(help="The cross-encoder (default: the index's).")
    ] = None,
    rerank: Annotated[
        bool | None,
        typer.Option(
            "--rerank/--no-rerank",
            help="Rerank (default: where the index or --reranker names one).",
        ),
    ] = None,
    field: Annotated[
        str | None,
        typer.Option(help="The text to rerank and to print (default: what was embedded)."),
    ] = None,
    vector_field: Annotated[
        str | None, typer.Option(help="The vectors to search (default: the index's first).")
    ] = None,
    explain_stages: Annotated[
        bool, typer.Option("--explain-stages", help="First pass and reranked order side by side.")
    ] = False,
    show_body: Annotated[
        bool, typer.Option("--show-body", help="Print the request instead of sending it.")
    ] = False,
    config: ConfigOption = BICROSS_TOML,
    as_json: JsonOption = False,
) -> None:
    """Search by meaning and rerank: one `_search`, the body of which --show-body prints."""
    from bicross.cluster.config import load_config_or_default
    from bicross.cluster.connection import connect
    from bicross.cluster.searching import SearchChoice, SearchRequest, bodies, search_target

    choice = SearchChoice(vector_field, field, model, reranker)
    request = SearchRequest(index, text, size, window, rerank, both_stages=explain_stages)
    with connect(load_config_or_default(config).cluster) as cluster:
        target = search_target(cluster.client, index, choice)
        planned = bodies(target, request)
        if show_body:
            print_json(planned.record(index))
        else:
            _answer(cluster.client, target, request, planned, as_json=as_json)


def _answer(
    client: "Elasticsearch",
    target: "SearchTarget",
    request: "SearchRequest",
    planned: "SearchBodies",
    *,
    as_json: bool,
) -> None:
    from bicross.cluster.display import print_hits, print_stages, stage_record
    from bicross.cluster.searching import run_search
    from bicross.cluster.stages import among_the_first, parse_hits, rank_changes

    answers = [run_search(client, request.index, body) for body in planned.in_order()]
    for warning in {warning for answer in answers for warning in answer.warnings}:
        typer.echo(f"warning: {warning}", err=True)
    hits = [parse_hits(answer.body) for answer in answers]
    took_ms = [int(answer.body["took"]) for answer in answers]
    if request.both_stages:
        changes = among_the_first(rank_changes(hits[0], hits[1]), request.size)
        if as_json:
            print_json({"took_ms": took_ms, "stages": [stage_record(each) for each in changes]})
        else:
            print_stages(console(), changes, target.text_field)
    elif as_json:
        print_json({"took_ms": took_ms[0], "hits": [hit.record() for hit in hits[0]]})
    else:
        print_hits(console(), hits[0], target.text_field)


def print_json(value: dict[str, Any]) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def console() -> "Console":
    from rich.console import Console

    return Console(highlight=False)
