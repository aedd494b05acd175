"""`bicross`: the commands of every room, and what an error looks like to the caller."""

import typer

from bicross import __version__

app = typer.Typer(
    name="bicross",
    help="Dense retrieval and cross-encoder reranking inside ordinary Elasticsearch searches.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"bicross {__version__}")
        raise typer.Exit


def main() -> None:
    app()
