"""Server-sent events: what happens in a run, or in all of them, as it is committed.

An event's id is the run's sequence number. `Last-Event-ID` (or `since`) goes on after it without
a gap and without a repeat, since the records themselves are read again from the database.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from augur_server.access import Person, require
from augur_server.bundle_files import Stored
from augur_server.database_source import DatabaseSource
from augur_server.hub import Hub
from augur_server.paths import RunId
from augur_server.source import UnknownRunError

__all__ = ["live_routes"]

PAGE: Final = 200
PING: Final = 15
"""Seconds between comments that keep proxies from closing a quiet stream."""

QUIET: Final = 5.0
"""Seconds after which the database is asked even without news."""

_WHOLE: Final = frozenset({"session", "step", "event", "reasoning", "log", "costs", "side_effect"})
"""Kinds whose record travels in the event; of others only where it can be read."""

Viewer = Annotated[Person, Depends(require("viewer"))]


def live_routes() -> APIRouter:
    """`/runs/{run_id}/live` and `/live`."""
    router = APIRouter(tags=["live"])
    router.add_api_route(
        "/runs/{run_id}/live", run_live, methods=["GET"], response_class=EventSourceResponse
    )
    router.add_api_route("/live", all_live, methods=["GET"], response_class=EventSourceResponse)
    return router


async def run_live(
    request: Request,
    run: RunId,
    person: Viewer,
    since: Annotated[int, Query(ge=0)] = 0,
    last_event_id: Annotated[str, Header()] = "",
) -> EventSourceResponse:
    """Each record of a run as it is committed: `event` is its kind, `id` its sequence number."""
    source: DatabaseSource = request.app.state.source
    await source.summary(person.tenant, run)
    start = int(last_event_id) if _is_number(last_event_id) else since
    hub: Hub = request.app.state.hub
    return EventSourceResponse(_follow(source, hub, person.tenant, run, start), ping=PING)


async def all_live(request: Request, person: Viewer) -> EventSourceResponse:
    """The summary of each run that changes, as in `/runs`; several changes may be one event."""
    source: DatabaseSource = request.app.state.source
    hub: Hub = request.app.state.hub
    return EventSourceResponse(_follow_all(source, hub, person.tenant), ping=PING)


async def _follow(
    source: DatabaseSource, hub: Hub, tenant: str, run: str, seq: int
) -> AsyncIterator[ServerSentEvent]:
    with hub.watch(tenant, run) as changed:
        while not hub.stopping:
            changed.clear()
            try:
                fresh = await source.since(tenant, run, seq, PAGE)
            except UnknownRunError:
                return  # deleted meanwhile
            for row in fresh:
                seq = row.seq
                yield ServerSentEvent(data=_data(row), event=row.kind, id=str(seq))
            if not fresh:
                await _news(changed)


async def _follow_all(
    source: DatabaseSource, hub: Hub, tenant: str
) -> AsyncIterator[ServerSentEvent]:
    moment = time.time()
    with hub.watch(tenant) as changed:
        while not hub.stopping:
            changed.clear()
            summaries, moment = await source.changed_since(tenant, moment)
            for summary in summaries:
                yield ServerSentEvent(data=summary.model_dump_json(), event="run")
            await _news(changed)


async def _news(changed: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(changed.wait(), QUIET)
    except TimeoutError:
        return


def _data(row: Stored) -> str:
    data: dict[str, Any] = {"seq": row.seq, "path": row.path, "step_index": row.step_index}
    if row.kind in _WHOLE:
        data["record"] = orjson.loads(row.body)
    if row.sha256:
        data["sha256"] = row.sha256
    return orjson.dumps(data).decode()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
