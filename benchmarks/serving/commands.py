"""`python -m benchmarks.serving`: inprocess, http, curve, profile."""

from typing import Annotated

import typer

from benchmarks.serving.load.dialects import Dialect

app = typer.Typer(
    help="Measure bicross beside what else serves the same models; see benchmarks/README.md.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Threads = Annotated[int, typer.Option(min=1, help="Of every variant.")]
Rounds = Annotated[int, typer.Option(min=1, help="Each variant's turns.")]


@app.command()
def inprocess(
    variant: Annotated[
        list[str] | None, typer.Option(help="Part of a variant's name; may be repeated [all].")
    ] = None,
    *,
    rounds: Rounds = 5,
    threads: Threads = 2,
) -> None:
    """Texts to vectors and pairs to logits, in every library that is installed."""
    from benchmarks.serving.inprocess import compare

    compare(variant or [], rounds, threads)


Names = Annotated[
    list[str] | None, typer.Option("--server", help="Part of a server's name; repeatable [all].")
]


@app.command(name="http")
def over_http(
    server: Names = None,
    *,
    url: Annotated[str | None, typer.Option(help="A server that runs elsewhere, too.")] = None,
    rerank_url: Annotated[
        str | None, typer.Option(help="Of its cross-encoder, where one server has one model.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call it [its URL].")] = None,
    dialect: Annotated[Dialect, typer.Option(help="How the server at --url is asked.")] = "openai",
    bi: Annotated[str, typer.Option(help="The bi-encoder's name there.")] = "all-MiniLM-L6-v2",
    cross: Annotated[str, typer.Option(help="The cross-encoder's name there.")] = "cross",
    rounds: Rounds = 3,
    seconds: Annotated[float, typer.Option(min=1, help="Of each scenario.")] = 10,
    threads: Threads = 2,
) -> None:
    """Single queries, bulk, windows, all at once and too much, of every server installed."""
    from benchmarks.serving.over_http import Elsewhere, Plan, compare

    elsewhere = [Elsewhere(name or url, url, rerank_url, dialect, bi, cross)] if url else []
    compare(Plan(server or [], elsewhere, rounds, seconds, threads))


@app.command()
def curve(
    *,
    threads: Threads = 2,
    most_tokens: Annotated[
        int, typer.Option(help="Larger windows are left out: the whole curve takes minutes.")
    ] = 600_000,
) -> None:
    """Latency and memory of a window, by its passages and their length; pictures for the docs."""
    from benchmarks.serving.curve import measure

    measure(threads, most_tokens)


@app.command()
def profile(
    *,
    threads: Threads = 2,
    token_budget: Annotated[int, typer.Option(help="Padded tokens of a batch.")] = 512,
) -> None:
    """Where the time of bicross' own runtime goes, down to the operators."""
    from benchmarks.serving.operators import profile as profile_runtime

    profile_runtime(threads, token_budget)
