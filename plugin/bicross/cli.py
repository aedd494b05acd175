"""`bicross`: the commands of every room, and what an error looks like to the caller."""

from typing import Annotated

import typer

from bicross import __version__
from bicross.cluster.commands import deploy, index, search
from bicross.errors import BicrossError
from bicross.evaluate.commands import evaluate
from bicross.exits import INTERRUPTED, MISSING_PACKAGE, fail
from bicross.local.commands import app as local
from bicross.server.commands import serve
from bicross.tuning.commands import tune_serving

# Which extra brings a package, for the one message that a light install needs.
EXTRAS = {
    "elasticsearch": "cluster",
    "fastapi": "server",
    "httptools": "server",
    "httpx": "cluster",
    "ir_measures": "evaluate",
    "jgo": "local",
    "numpy": "server",
    "onnxruntime": "server",
    "platformdirs": "local",
    "psutil": "local",
    "pydantic_settings": "server",
    "tokenizers": "server",
    "tomlkit": "server",
    "uvicorn": "server",
}

app = typer.Typer(
    name="bicross",
    help="Dense retrieval and cross-encoder reranking inside ordinary Elasticsearch searches.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(serve)
app.command()(tune_serving)
app.command()(deploy)
app.command()(index)
app.command()(search)
app.command()(evaluate)
app.add_typer(local, name="local")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"bicross {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    del version


def main() -> None:
    """Runs one command; an error of ours is one line on stderr and its own exit status."""
    try:
        app()
    except BicrossError as error:
        fail(str(error), error.exit_status)
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        hint = f"the package {error.name} is not installed; pip install 'bicross[{extra}]'"
        fail(hint, MISSING_PACKAGE)
    except KeyboardInterrupt:
        fail("interrupted", INTERRUPTED)
