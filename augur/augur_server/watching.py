"""Whether all is well: connections, health, metrics; and taking a run away for good."""

from __future__ import annotations

import time
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from sqlalchemy import delete, func, select, text

from augur_server.access import Access, Person, require
from augur_server.models import Connection
from augur_server.paths import RunId
from augur_server.schema import clients, commands, records, runs
from augur_server.source import UnknownRunError

__all__ = ["delete_run", "watching_routes"]

RECENT: Final = 60.0

Viewer = Annotated[Person, Depends(require("viewer"))]
Admin = Annotated[Person, Depends(require("admin"))]


def watching_routes() -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["keeping house"])
    router.add_api_route("/connections", list_connections, methods=["GET"])
    router.add_api_route("/runs/{run_id}", remove_run, methods=["DELETE"])
    router.add_api_route("/healthz", healthz, methods=["GET"])
    router.add_api_route("/readyz", readyz, methods=["GET"])
    router.add_api_route("/metrics", metrics, methods=["GET"])
    return router


async def list_connections(request: Request, person: Viewer) -> list[Connection]:
    """The clients of the last 60 s."""
    recent = select(clients).where(
        clients.c.tenant == person.tenant, clients.c.last_seen > time.time() - RECENT
    )
    async with request.app.state.engine.connect() as connection:
        rows = list((await connection.execute(recent)).mappings())
    names = set(Connection.model_fields) - {"last_seen_ms"}
    return [
        Connection(last_seen_ms=round(row["last_seen"] * 1000), **{n: row[n] for n in names})
        for row in rows
    ]


async def remove_run(request: Request, run: RunId, person: Admin) -> dict[str, str]:
    """Delete a run, and the pictures that no other run shows."""
    state = request.app.state
    async with state.engine.connect() as connection:
        found = select(runs.c.id).where(runs.c.tenant == person.tenant, runs.c.run_id == run)
        row = (await connection.execute(found)).scalar()
    if row is None:
        raise UnknownRunError(run)
    await delete_run(state.engine, state.blobs, row)
    access: Access = state.access
    await access.note(person, "run deleted", run)
    return {"status": "deleted"}


async def delete_run(engine: Any, blobs: Any, run: int) -> None:
    """Delete a run's rows, then the blobs that nothing refers to any more."""
    mine = select(records.c.sha256).where(records.c.run == run, records.c.sha256 != "")
    async with engine.begin() as connection:
        digests = set((await connection.execute(mine)).scalars())
        await connection.execute(delete(records).where(records.c.run == run))
        await connection.execute(delete(commands).where(commands.c.run == run))
        await connection.execute(delete(runs).where(runs.c.id == run))
        for digest in digests:
            still = select(func.count()).where(records.c.sha256 == digest)
            if not (await connection.execute(still)).scalar():
                blobs.remove(digest)


async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


async def readyz(request: Request) -> dict[str, str]:
    """The database answers, and there is room for more."""
    try:
        async with request.app.state.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        request.app.state.committer.check_room()
    except Exception:  # noqa: BLE001 - whatever it is, the server is not ready
        raise HTTPException(503, "the database does not answer, or is behind") from None
    return {"status": "ready"}


async def metrics(request: Request, person: Viewer) -> Response:  # noqa: ARG001 - people only
    """Counters for Prometheus."""
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

    committer = request.app.state.committer
    registry = CollectorRegistry()
    written = Gauge("augur_writes", "Requests committed since the start", registry=registry)
    written.set(committer.committed)
    waiting = Gauge("augur_waiting_bytes", "Bytes that wait for the disk", registry=registry)
    waiting.set(committer.waiting_bytes)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
