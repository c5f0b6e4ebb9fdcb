"""Commands from operators to agents: stored, audited, polled, and followed until they are done.

A command's number is of its run's sequence, taken under the run's lock: a poll that has seen
number N never misses one that commits later.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from augur_server.access import Access, Person, require
from augur_server.database import insert
from augur_server.hub import Hub
from augur_server.ingest import Agent
from augur_server.models import Command, CommandRequest, Failure
from augur_server.paths import RunId
from augur_server.schema import commands, records, runs
from augur_server.source import UnknownRunError

__all__ = ["Commands", "command_routes"]

TYPES: Final = frozenset(
    {
        "pause",
        "resume",
        "kill",
        "inject_hint",
        "override_action",
        "approve",
        "deny",
        "edit",
        "take_control",
        "release_control",
    }
)
HOLD_LIMIT: Final = 600.0
"""Seconds after which control that nobody used ends by itself."""

_MAX_PAYLOAD: Final = 256 * 1024


class Commands:
    """The commands of every run."""

    def __init__(self, engine: AsyncEngine, hub: Hub) -> None:
        self._engine = engine
        self._hub = hub

    async def post(self, person: Person, run_id: str, asked: CommandRequest) -> Command:
        """Store a command; the same key a second time gives the first one.

        Raises:
            UnknownRunError: There is no such run.
            HTTPException: The run has ended, or somebody else holds control.
        """
        key = asked.idempotency_key or uuid.uuid4().hex
        async with self._engine.begin() as connection:
            run = await _claim(connection, person.tenant, run_id)
            known = select(commands).where(commands.c.run == run.id, commands.c.key == key)
            if (row := (await connection.execute(known)).mappings().first()) is not None:
                return _command(row)
            _check_run(run, person, asked.type)
            values = _values(run, key, person, asked)
            await connection.execute(insert(commands).values(values))
            await _hold(connection, run.id, person, asked.type)
        self._hub.changed(person.tenant, run_id)
        return _command(values)

    async def poll(self, tenant: str, run_id: str, cursor: int) -> tuple[list[Command], int]:
        """What came after the cursor; what the cursor has passed counts as delivered."""
        async with self._engine.connect() as connection:
            run = await _find(connection, tenant, run_id)
            if run is None:
                return [], cursor
            fresh = select(commands).where(commands.c.run == run, commands.c.seq > cursor)
            fresh = fresh.where(commands.c.state != "expired").order_by(commands.c.seq)
            rows = list((await connection.execute(fresh)).mappings())
        if cursor:
            await self._deliver(run, cursor)
        return [_command(row) for row in rows], rows[-1]["seq"] if rows else cursor

    async def _deliver(self, run: int, cursor: int) -> None:
        passed = (
            (commands.c.run == run) & (commands.c.seq <= cursor) & (commands.c.state == "queued")
        )
        async with self._engine.connect() as connection:
            waiting = (await connection.execute(select(commands.c.seq).where(passed))).first()
        if waiting is not None:
            async with self._engine.begin() as connection:
                await connection.execute(update(commands).where(passed).values(state="delivered"))

    async def wait(
        self, tenant: str, run_id: str, cursor: int, hold: float
    ) -> tuple[list[Command], int]:
        """As `poll`, but held open until there is something or `hold` seconds are over."""
        deadline = time.monotonic() + hold
        with self._hub.watch(tenant, run_id) as changed:
            while True:
                changed.clear()
                found, cursor = await self.poll(tenant, run_id, cursor)
                left = deadline - time.monotonic()
                if found or left <= 0 or self._hub.stopping:
                    return found, cursor
                try:
                    await asyncio.wait_for(changed.wait(), left)
                except TimeoutError:
                    return [], cursor

    async def log(self, tenant: str, run_id: str) -> list[Command]:
        """Every command of a run, oldest first, and how far each has come."""
        async with self._engine.connect() as connection:
            run = await _find(connection, tenant, run_id)
            if run is None:
                raise UnknownRunError(run_id)
            statement = select(commands).where(commands.c.run == run).order_by(commands.c.seq)
            rows = list((await connection.execute(statement)).mappings())
            events = select(records.c.body).where(
                records.c.run == run,
                records.c.kind == "event",
                records.c.path == "events/run.jsonl",
            )
            done = {_command_of(body) for body in (await connection.execute(events)).scalars()}
        found = [_command(row) for row in rows]
        for command in found:
            if command.command_id in done:
                command.state = "done"
        return found


async def _claim(connection: AsyncConnection, tenant: str, run_id: str) -> Any:
    """Lock the run and take the next number of its sequence."""
    taken = (
        update(runs)
        .where(runs.c.tenant == tenant, runs.c.run_id == run_id)
        .values(seq=runs.c.seq + 1, changed=time.time())
        .returning(runs.c.id, runs.c.seq, runs.c.status, runs.c.held_by, runs.c.held_since)
    )
    row = (await connection.execute(taken)).first()
    if row is None:
        raise UnknownRunError(run_id)
    return row


async def _find(connection: AsyncConnection, tenant: str, run_id: str) -> int | None:
    found = select(runs.c.id).where(runs.c.tenant == tenant, runs.c.run_id == run_id)
    run: int | None = (await connection.execute(found)).scalar()
    return run


def _check_run(run: Any, person: Person, kind: str) -> None:
    if run.status != "running":
        raise HTTPException(409, f"the run has ended: {run.status}")
    held = run.held_by if (run.held_since or 0.0) > time.time() - HOLD_LIMIT else None
    if kind == "take_control" and held not in (None, person.name):
        raise HTTPException(409, f"{held} holds control; ask for it, or wait")
    if kind == "release_control" and held != person.name:
        raise HTTPException(409, "you do not hold control")


async def _hold(connection: AsyncConnection, run: int, person: Person, kind: str) -> None:
    holder = {"take_control": (person.name, time.time()), "release_control": (None, None)}
    if kind in holder:
        name, since = holder[kind]
        held = update(runs).where(runs.c.id == run).values(held_by=name, held_since=since)
        await connection.execute(held)


def _values(run: Any, key: str, person: Person, asked: CommandRequest) -> dict[str, Any]:
    return {
        "run": run.id,
        "seq": run.seq,
        "command_id": f"cmd_{uuid.uuid4().hex[:16]}",
        "key": key,
        "type": asked.type,
        "payload": orjson.dumps(asked.payload).decode(),
        "operator": person.name,
        "issued_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "state": "queued",
    }


def _command(row: Any) -> Command:
    return Command(
        command_id=row["command_id"],
        type=row["type"],
        payload=orjson.loads(row["payload"]),
        operator_id=row["operator"],
        issued_at=row["issued_at"],
        state=row["state"],
    )


def _command_of(event: bytes) -> str:
    detail = orjson.loads(event).get("detail")
    return str(detail.get("command_id", "")) if isinstance(detail, dict) else ""


def command_routes() -> APIRouter:
    """The agent's long poll, and what operators do."""
    router = APIRouter(
        tags=["commands"], responses={s: {"model": Failure} for s in (401, 403, 404, 409, 422)}
    )
    router.add_api_route("/runs/{run_id}/commands", poll_commands, methods=["GET"])
    router.add_api_route("/runs/{run_id}/commands", post_command, methods=["POST"], status_code=201)
    router.add_api_route("/runs/{run_id}/commands/log", command_log, methods=["GET"])
    return router


async def poll_commands(
    request: Request, run: RunId, cursor: str = "", tenant: str = Agent
) -> Response:
    """Commands after the cursor, held open until there are some; empty when nothing happens."""
    if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise HTTPException(422, "cursor: expected one that an earlier answer gave")
    state = request.app.state
    since = int(cursor or 0)
    found, position = await state.commands.wait(tenant, run, since, state.settings.hold)
    if not found:
        return Response(b"", 200)
    shown = [command.model_dump(exclude={"state"}) for command in found]
    answer = {"commands": shown, "cursor": str(position)}
    return Response(orjson.dumps(answer), media_type="application/json")


async def post_command(
    request: Request,
    run: RunId,
    asked: CommandRequest,
    person: Person = Depends(require("operator")),
) -> Command:
    """Send a command to the agent of a run; it is stored and audited before this answers."""
    if asked.type not in TYPES:
        raise HTTPException(422, f"type: expected one of {', '.join(sorted(TYPES))}")
    if len(orjson.dumps(asked.payload)) > _MAX_PAYLOAD:
        raise HTTPException(413, f"payload: expected at most {_MAX_PAYLOAD} bytes")
    access: Access = request.app.state.access
    command: Command = await request.app.state.commands.post(person, run, asked)
    await access.note(person, f"command {asked.type}", run, command.command_id)
    return command


async def command_log(
    request: Request,
    run: RunId,
    person: Person = Depends(require("viewer")),
) -> list[Command]:
    """Every command of a run: who asked for what, and whether the agent has taken it."""
    found: list[Command] = await request.app.state.commands.log(person.tenant, run)
    return found
