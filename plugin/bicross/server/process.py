"""One serving process: its socket and its signals."""

import asyncio
import logging
import resource
import signal
import socket
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from bicross.errors import EnvironmentProblem, UsageError
from bicross.server.app import create_app
from bicross.server.opening import Opened
from bicross.server.scheduling.priority import share_the_interpreter
from bicross.server.settings import Settings
from bicross.server.telemetry.tracing import open_tracing
from bicross.server.transport.connection import Connection
from bicross.server.transport.door import Doors

LOG = logging.getLogger("bicross.server")

# Elasticsearch's pooled connections rest for 60 s; a server that closes first resets them.
KEEP_ALIVE_S = 90
# For the run of a model that is under way when the drain ends.
LAST_RUN_S = 3
BACKLOG = 2048
# For TLS 1.2; those of 1.3 are fixed. Every client that speaks 1.2 and is still patched has them.
TLS_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


class Process(uvicorn.Server):
    """Closes its doors at the first signal, finishes what it has accepted, and exits with 0."""

    def __init__(
        self, config: uvicorn.Config, app: FastAPI, doors: Doors, drain_s: int, announcement: str
    ) -> None:
        super().__init__(config)
        self._app = app
        self._doors = doors
        self._drain_s = drain_s
        self._announcement = announcement

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's; by the time it is announced, requests are taken and signals obeyed."""
        await super().startup(sockets)
        LOG.info(self._announcement)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """As uvicorn's, but a signal that was obeyed is not raised again as the exit status."""
        del frame
        self._doors.closed = True
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, but what still waits after `drain_s` is answered, with 503, not cut off."""
        scheduler = self._app.state.serving.scheduler
        asyncio.get_running_loop().call_later(self._drain_s, scheduler.stop)
        await super().shutdown(sockets)


def serve(opened: Opened) -> None:
    """Serves until a signal. Raises what keeps it from starting."""
    settings, catalog, begun = opened.settings, opened.catalog, opened.begun
    signal.signal(signal.SIGHUP, lambda *_: begun.stock.asked.put("look"))
    doors = Doors(settings.keys())
    app = create_app(catalog, settings, doors, begun, open_tracing())
    config = uvicorn_config(app, settings)
    try:
        config.load()
    except OSError as error:
        raise UsageError(
            f"TLS cannot be set up from {settings.ssl_certfile} and {settings.ssl_keyfile}: "
            f"{error.strerror or error}"
        ) from None
    listener = listen(settings.host, settings.port)
    _raise_file_limit()
    share_the_interpreter()
    port = listener.getsockname()[1]
    scheme = "https" if settings.ssl_certfile else "http"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    announcement = f"{', '.join(catalog.ids())} at {scheme}://{host}:{port}"
    Process(config, app, doors, settings.drain_s, announcement).run(sockets=[listener])


def uvicorn_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    # uvicorn calls it where it would call a class.
    protocol: Any = partial(Connection, settings.body_timeout_s)
    return uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        loop="asyncio",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=settings.drain_s + LAST_RUN_S,
        backlog=BACKLOG,
        ssl_certfile=settings.ssl_certfile,
        ssl_keyfile=settings.ssl_keyfile,
        ssl_ciphers=TLS_CIPHERS,
    )


def listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # asyncio turns Nagle's algorithm off only for sockets that say they speak TCP; with it on,
        # an answer's body waits 40 ms for the acknowledgement of its head.
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise EnvironmentProblem(
            f"cannot listen on {host} port {port}: {error.strerror}; "
            "stop what listens there, or choose another with --port"
        ) from None
    return listener


def _raise_file_limit() -> None:
    """As many connections as the system lets this process have: each is an open file."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
