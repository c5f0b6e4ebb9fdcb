"""Running the server: a socket, a key, a link to log in with, and an orderly end."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import uvicorn
from fastapi import FastAPI

from augur_sdk.errors import RecordError
from augur_server.access import Access, Person
from augur_server.app import create_app, create_viewer_app
from augur_server.settings import Settings

__all__ = ["Ready", "bind", "serve", "view"]

DRAIN: Final = 4
"""Seconds for requests under way after SIGTERM: with what follows, the end comes within 5 s."""

TENANT: Final = "default"
KEY_FILE: Final = "default-key"


@dataclass(frozen=True)
class Ready:
    """What a server says once it accepts connections."""

    dsn: str
    url: str
    login_url: str
    pid: int

    def write(self, path: Path) -> None:
        """Write it down for whoever started the server; only they may read it."""
        temporary = path.with_name(f".{path.name}.{self.pid}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(orjson.dumps(vars(self)))
        temporary.replace(path)


def bind(host: str, port: int, *, behind_proxy: bool = False) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises:
        RecordError: Anybody could listen in: it is not loopback, and no proxy adds TLS.
        OSError: The address is taken, or not this machine's.
    """
    if not behind_proxy and not _is_loopback(host):
        raise RecordError(
            f"{host} is reachable from other machines, and this server speaks plain HTTP",
            expected="a loopback address, or --behind-proxy where a proxy adds TLS",
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except OSError:
        listening.close()
        raise
    return listening


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def serve(
    settings: Settings, listening: socket.socket, *, on_ready: Callable[[Ready], None]
) -> None:
    """Run until SIGTERM or SIGINT, then finish what is under way.

    Args:
        settings: How the server behaves.
        listening: Where it accepts connections.
        on_ready: Called once it does.
    """
    app = create_app(settings)

    async def ready() -> None:
        access: Access = app.state.access
        token = await _own_key(access, settings.data)
        login = await access.login_token(Person("owner", TENANT, "admin"))
        url = _url(listening)
        dsn = f"{url}/api/v1?token={token}&tenant={TENANT}"
        on_ready(Ready(dsn, url, f"{url}/#login={login}", os.getpid()))

    _run(app, listening, ready, stop=lambda: app.state.hub.stop())  # noqa: PLW0108 - the hub is made at the start


def view(folder: Path, listening: socket.socket, *, on_ready: Callable[[str], None]) -> None:
    """Show the bundles in a folder until SIGTERM or SIGINT."""

    async def ready() -> None:
        on_ready(_url(listening))

    _run(create_viewer_app(folder), listening, ready, stop=lambda: None)


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


async def _own_key(access: Access, data: Path) -> str:
    """The key of the printed DSN: made once, and kept beside the data it opens."""
    path = data / KEY_FILE
    if path.exists():
        token = path.read_text().strip()
        if await access.tenant_of_key(token):
            return token
    token = await access.add_key(TENANT, "made by augur serve")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(token)
    return token


class _Server(uvicorn.Server):
    """Says when it accepts, and lets go of what is held open as soon as it is to end."""

    def __init__(self, config: uvicorn.Config, ready: Any, stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready
        self._stop = stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and not self.should_exit:
            await self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stop()
        await super().shutdown(sockets)


def _run(app: FastAPI, listening: socket.socket, ready: Any, *, stop: Callable[[], None]) -> None:
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # a path may hold what a client did not mean to show
        server_header=False,
        timeout_graceful_shutdown=DRAIN,
        timeout_keep_alive=75,
        backlog=2048,
        http="httptools",
    )
    for ending in (signal.SIGINT, signal.SIGTERM):
        # uvicorn raises the signal once more when it is done; asked to end, we have ended well.
        signal.signal(ending, signal.SIG_IGN)
    with asyncio.Runner(loop_factory=_loop()) as runner:
        runner.run(_Server(config, ready, stop).serve([listening]))


def _loop() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:  # Windows has none
        return asyncio.new_event_loop
    return uvloop.new_event_loop
