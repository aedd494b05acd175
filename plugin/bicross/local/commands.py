"""`bicross local up | down | status | logs`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from bicross.errors import UsageError

app = typer.Typer(
    name="local",
    help="A real Elasticsearch node on this machine, with the plugin in it.",
    no_args_is_help=True,
)

Version = Annotated[str | None, typer.Option(help="Elasticsearch version, as 9.5.3.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@app.command()
def up(
    version: Annotated[
        str | None,
        typer.Option(help="Elasticsearch version; without it the newest that a Java here can run."),
    ] = None,
    port: Annotated[int, typer.Option(help="HTTP port on 127.0.0.1.")] = 9200,
    endpoint: Annotated[
        list[str] | None,
        typer.Option(help="Model server's address (http://127.0.0.1:8380); may be repeated."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of the node's data; kept between runs.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete the data first.")] = False,
    java: Annotated[
        Path | None, typer.Option(help="Home of the Java runtime to use, or its java.")
    ] = None,
    heap: Annotated[str, typer.Option(help="Java heap, as 512m or 2g.")] = "512m",
    log_level: Annotated[str, typer.Option(help="Level of the node's log.")] = "warn",
    setting: Annotated[
        list[str] | None,
        typer.Option(help="A line of elasticsearch.yml, as name=value; may be repeated."),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(envvar="BICROSS_API_KEY", help="The model server's key, for the keystore."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Start a node and come back when it is ready; the first start downloads Elasticsearch."""
    from bicross.local import starting

    wish = starting.Wish(
        version=version,
        port=port,
        endpoints=tuple(endpoint) if endpoint else (starting.DEFAULT_ENDPOINT,),
        data=data.expanduser().resolve() if data else None,
        fresh=fresh,
        java=java,
        heap=heap,
        log_level=log_level,
        settings=_settings(setting or []),
        api_key=api_key,
    )
    started = starting.start(wish, quiet=as_json)
    if as_json:
        typer.echo(json.dumps(started.as_dict()))
    else:
        typer.echo(started.as_text())


@app.command()
def down(version: Version = None, as_json: Json = False) -> None:
    """End the running node, or all of them; their data stay."""
    from bicross.local import running

    ended = running.stop_all(version)
    if as_json:
        typer.echo(json.dumps(ended))
        return
    if not ended:
        typer.echo("no local node is running")
    for node in ended:
        how = "ended" if node["gracefully"] else "did not end in time and was killed"
        typer.echo(f"Elasticsearch {node['version']} (process {node['pid']}) {how}")


@app.command()
def status(as_json: Json = False) -> None:
    """Show the running nodes: version, address, process, health."""
    from rich.console import Console
    from rich.table import Table

    from bicross.local import running

    nodes = running.describe_all()
    if as_json:
        typer.echo(json.dumps(nodes))
        return
    if not nodes:
        typer.echo("no local node is running; `bicross local up` starts one")
        return
    table = Table("version", "url", "pid", "health", "plugin", "memory")
    for node in nodes:
        table.add_row(
            node["version"],
            node["url"],
            str(node["pid"]),
            node["health"] or "does not answer",
            "yes" if node["plugin"] else "no",
            f"{node['memory_mb']} MB",
        )
    Console().print(table)


@app.command()
def logs(
    version: Version = None,
    lines: Annotated[int, typer.Option(min=1, help="How many of the last lines.")] = 50,
    as_json: Json = False,
) -> None:
    """Print the end of the node's log, running or not."""
    from bicross.local import running

    log, text = running.end_of_log(version, lines)
    if as_json:
        typer.echo(json.dumps({"log": str(log), "lines": text.splitlines()}))
    else:
        typer.echo(f"{text}\n({log})")


def _settings(given: list[str]) -> dict[str, str]:
    settings = {}
    for line in given:
        name, equals, value = line.partition("=")
        if not (name and equals):
            raise UsageError(f"--setting {line!r} is not name=value")
        settings[name] = value
    return settings
