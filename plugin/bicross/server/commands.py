"""`bicross serve`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bicross.errors import BicrossError

if TYPE_CHECKING:
    from bicross.server.settings import Settings


def serve(
    bundles: Annotated[
        list[Path],
        typer.Argument(
            metavar="BUNDLE...", help="Folders that onnx-export wrote, or folders of them."
        ),
    ],
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on [127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on [8380].")] = None,
    engine: Annotated[
        str | None, typer.Option(help="What runs the bundles' graphs [onnxruntime].")
    ] = None,
    precision: Annotated[
        str | None, typer.Option(help="Which of the bundles' graphs to run [fp32].")
    ] = None,
    config: Annotated[
        Path, typer.Option(help="Where the models' engines and precisions stand.")
    ] = Path("bicross.toml"),
    threads: Annotated[
        int | None, typer.Option(help="Threads of a model's runs together [the cores available].")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Take over bundles that change on disk.")
    ] = False,
    ssl_certfile: Annotated[Path | None, typer.Option(help="Certificate chain, PEM.")] = None,
    ssl_keyfile: Annotated[Path | None, typer.Option(help="Its private key, PEM.")] = None,
    allow_insecure: Annotated[
        bool,
        typer.Option("--allow-insecure", help="Listen beyond this machine without key or TLS."),
    ] = False,
    docs: Annotated[
        bool | None, typer.Option(help="Serve /docs [only when listening on this machine alone].")
    ] = None,
) -> None:
    """Serve bundles over HTTP: /v1/embeddings, /v1/rerank, /v2/rerank, /v1/models.

    On SIGHUP, and with --watch by itself, a bundle that changed on disk takes the place of the old
    one without a failed request, and folders of bundles are followed.

    Every option and every limit is also an environment variable BICROSS_<NAME>. API keys come from
    BICROSS_API_KEY or from the file that BICROSS_API_KEY_FILE names.
    """
    from bicross.server.settings import Settings

    settings = Settings.read(
        host=host,
        port=port,
        engine=engine,
        precision=precision,
        threads=threads,
        watch=watch or None,
        ssl_certfile=ssl_certfile,
        ssl_keyfile=ssl_keyfile,
        allow_insecure=allow_insecure or None,
        docs=docs,
    )
    _serve(bundles, settings, config)


def _serve(bundles: list[Path], settings: "Settings", config: Path) -> None:
    from bicross.server.opening import open_models

    opened = open_models(bundles, settings, config)
    try:
        # FastAPI and uvicorn are imported while the models load.
        from bicross.server.process import serve as serve_opened

        serve_opened(opened)
    except (BicrossError, ImportError):
        # A thread inside an engine is not to be cut off by the interpreter's end.
        opened.begun.loading.wait()
        raise
