"""`make demo`: the whole path on a real node with real text, by the commands that a user has."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from demo import corpus, models, server

ROOT = Path(__file__).parents[1]
STATE = ROOT / ".demo"
SERVING = ROOT / ".venv-serving" / "bin" / "bicross"
COLLECTION = STATE / "python-docs"
CONFIG = STATE / "bicross.toml"
INDEX = "python-docs"
WINDOW = 20
QUERIES = (
    "split a string the way a shell does",
    "wait until several threads have all reached the same point",
    "undo the escaping of special characters in HTML",
)

CONFIG_TEXT = """\
[cluster]
url = "http://127.0.0.1:9200"

[indices.{index}]
model = "{bi}"
reranker = "{cross}"
replicas = 0

[indices.{index}.properties.title]
type = "text"
analyzer = "english"
"""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
console = Console()


@app.command()
def up(
    bi: Annotated[str, typer.Option(help="A bi-encoder: hub id or folder.")] = models.BI_ENCODER,
    cross: Annotated[
        str, typer.Option(help="A cross-encoder: hub id or folder.")
    ] = models.CROSS_ENCODER,
) -> None:
    """Export, serve, start a node, deploy, index, search, evaluate; leave it all running."""
    STATE.mkdir(exist_ok=True)
    heading("Two models become bundles")
    chosen = [models.bundle_of(model, STATE / "bundles", console.print) for model in (bi, cross)]
    heading("One process serves them, without torch")
    server.start(SERVING, [model.bundle for model in chosen], STATE)
    console.print(f"{server.URL}/docs has its API; log in {STATE / 'server.log'}")
    heading("A real Elasticsearch node, with the plugin in it")
    # A window of an unquantised cross-encoder may take a small machine longer than the default.
    slow = "bicross.endpoint.local.timeout.rerank=60s"
    run("local", "up", "--endpoint", server.URL, "--setting", slow)
    heading("Real text: the documentation in Python's own standard library")
    passages, queries = corpus.write_collection(COLLECTION)
    console.print(f"{passages} passages, {queries} queries; demo/README.md has the rule")
    bi_id, cross_id = (model.model_id for model in chosen)
    CONFIG.write_text(CONFIG_TEXT.format(index=INDEX, bi=bi_id, cross=cross_id))
    run("deploy", "--config", str(CONFIG))
    run("index", str(COLLECTION / "corpus.jsonl"), "--index", INDEX, "--config", str(CONFIG))
    heading("The stages, side by side")
    for query in QUERIES:
        run("search", INDEX, query, "-k", "5", "--explain-stages", "--config", str(CONFIG))
    heading("What it does to ranking quality")
    measured = ("--bi", bi_id, "--cross", cross_id, "--window", str(WINDOW))
    run("evaluate", str(COLLECTION), *measured, "--config", str(CONFIG))
    for model in chosen:
        console.print(f"{model.model_id}: {model.note}")
    next_steps()


@app.command()
def down() -> None:
    """End the node and the server; data, bundles and caches stay."""
    run("local", "down")
    ended = server.stop(STATE)
    console.print("the server ended" if ended else "no server of the demo is running")


def next_steps() -> None:
    heading("All of it keeps running. Try next")
    console.print(
        f"""\
.venv/bin/bicross search {INDEX} "your own question" --explain-stages
.venv/bin/bicross search {INDEX} "your own question" --show-body   # the _search a user writes
curl -s http://127.0.0.1:9200/_bicross?pretty
make demo-down""",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def run(*arguments: str) -> None:
    """One `bicross` command, shown as a user would type it."""
    console.print(f"[dim]$ bicross {' '.join(map(shown, arguments))}[/]", highlight=False)
    done = subprocess.run(["bicross", *arguments], check=False)  # noqa: S603, S607
    if done.returncode:
        sys.exit(done.returncode)


def shown(argument: str) -> str:
    relative = argument.replace(f"{ROOT}/", "")
    return f'"{relative}"' if " " in relative else relative


def heading(text: str) -> None:
    console.rule(f"[bold]{text}", align="left")


if __name__ == "__main__":
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    app()
