"""The application: its parts put together, and what every answer carries."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from augur_sdk._version import __version__
from augur_server.access import Access, Person
from augur_server.blobs import Blobs
from augur_server.commands import Commands, command_routes
from augur_server.committer import Committer
from augur_server.database import open_database
from augur_server.database_source import DatabaseSource
from augur_server.folder_source import FolderSource
from augur_server.hub import Hub
from augur_server.ingest import ingest_routes
from augur_server.intake import Intake
from augur_server.live import live_routes
from augur_server.paths import EncodedPaths
from augur_server.people import me_routes, people_routes
from augur_server.read_api import read_routes
from augur_server.settings import Settings
from augur_server.source import UnknownRunError
from augur_server.watching import watching_routes

__all__ = ["create_app", "create_viewer_app"]

PREFIX: Final = "/api/v1"
WEB: Final = Path(__file__).parent / "web"

_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


def create_app(settings: Settings) -> FastAPI:
    """The server over a database in `settings.data`, which is opened when it starts."""
    app = _bare("Augur", lambda app: _running(app, settings))
    for router in (
        ingest_routes(),
        command_routes(),
        live_routes(),
        people_routes(),
        me_routes(),
        watching_routes(),
        read_routes(),
    ):
        app.include_router(router, prefix=PREFIX)
    _finish(app)
    return app


def create_viewer_app(folder: Path) -> FastAPI:
    """The read API over the bundles in a folder: nothing can be changed, and nobody logs in."""

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        app.state.source = FolderSource(folder)
        app.state.everyone = Person("reader", "default", "viewer")
        yield

    app = _bare("Augur view", running)
    for router in (me_routes(), read_routes()):
        app.include_router(router, prefix=PREFIX)
    _finish(app)
    return app


@asynccontextmanager
async def _running(app: FastAPI, settings: Settings) -> AsyncIterator[None]:
    engine = await open_database(settings.data)
    blobs = Blobs(settings.data / "blobs")
    hub = Hub()
    state = app.state
    state.settings, state.engine, state.blobs, state.hub = settings, engine, blobs, hub
    state.intake = Intake(trust_clients=settings.trust_clients, modelio=settings.modelio)
    state.committer = Committer(engine, blobs, hub, settings.queue_bytes)
    state.source = DatabaseSource(engine, blobs)
    state.access = Access(engine)
    state.commands = Commands(engine, hub)
    state.committer.start()
    try:
        yield
    finally:
        hub.stop()
        await state.committer.stop()
        await engine.dispose()


def _bare(title: str, lifespan: object) -> FastAPI:
    app = FastAPI(
        title=title,
        version=__version__,
        lifespan=lifespan,  # type: ignore[arg-type] # FastAPI's own alias is narrower than ASGI's
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
    )
    app.add_exception_handler(UnknownRunError, _unknown_run)
    app.add_exception_handler(FileNotFoundError, _unknown_file)
    app.add_exception_handler(RequestValidationError, _invalid)
    return app


def _finish(app: FastAPI) -> None:
    if WEB.is_dir():
        app.mount("/", StaticFiles(directory=WEB, html=True))
    app.add_middleware(EncodedPaths)
    app.add_middleware(Hardened)


async def _unknown_run(_request: Request, _error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "there is no such run"}, 404)


async def _unknown_file(_request: Request, _error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "the run has no such file"}, 404)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return JSONResponse({"detail": f"{where}: {first['msg']}"}, 422)


class Hardened:
    """Middleware that adds what keeps a browser from doing more than showing the page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add the headers to its answer."""

        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, hardened if scope["type"] == "http" else send)
