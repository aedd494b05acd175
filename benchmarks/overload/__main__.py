"""`python -m benchmarks.overload`: what a server does while it is asked for far too much."""

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.overload.measuring import Plan, measure

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def overload(
    bundle: Annotated[Path | None, typer.Argument(help="MiniLM's by default.")] = None,
    *,
    minutes: Annotated[float, typer.Option(min=0.05, help="Of the overload.")] = 5,
    times: Annotated[float, typer.Option(min=1, help="The unloaded rate is offered.")] = 10,
    queue_tokens: Annotated[
        int | None, typer.Option(min=1, help="Its BICROSS_MAX_QUEUE_TOKENS.")
    ] = None,
) -> None:
    """Offers a server many times its unloaded rate; prints a table, writes results/overload.json.

    A fresh queue takes about a minute and a half to be worked off, so that shorter runs want a
    smaller one to see what comes of waiting as told.
    """
    measure(Plan(bundle, 60 * minutes, times, queue_tokens))


if __name__ == "__main__":
    app()
