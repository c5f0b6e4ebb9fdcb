"""Group commit: what arrived meanwhile is written in one transaction, synced, then acknowledged.

`write` returns once its rows are on the disk: a 2xx that follows it is durable. What waits is
bounded in bytes; beyond the bound callers are refused at once, and told when to come back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from augur_server.blobs import Blobs
from augur_server.database import insert
from augur_server.hub import Hub
from augur_server.records import TERMINAL, Row, Write
from augur_server.schema import commands, records, runs

__all__ = ["BusyError", "Committer", "StorageError"]

logger: logging.Logger = logging.getLogger("augur_server")

GROUP: Final = 2000
"""Rows in one transaction: some ten milliseconds of work, so that nobody waits long."""


class BusyError(Exception):
    """Too much waits for the disk; to be tried again after a second."""


class StorageError(Exception):
    """The database or the disk refused; nothing of the write was kept."""


@dataclass(slots=True)
class _Waiting:
    write: Write
    done: asyncio.Future[None]


class Committer:
    """The one writer of runs and records.

    Args:
        engine: The database.
        blobs: Where pictures are; those that a write names are synced before its commit.
        hub: Told of each run that changed.
        bound: Bytes that may wait.
    """

    def __init__(self, engine: AsyncEngine, blobs: Blobs, hub: Hub, bound: int) -> None:
        self._engine = engine
        self._blobs = blobs
        self._hub = hub
        self._bound = bound
        self._queue: list[_Waiting] = []
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self.waiting_bytes: int = 0
        self.committed: int = 0

    def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Write what waits, and end."""
        self._stopping = True
        self._arrived.set()
        if self._task is not None:
            await self._task

    def check_room(self) -> None:
        """Refuse before a body is read.

        Raises:
            BusyError: As much waits as may.
        """
        if self._stopping or self.waiting_bytes > self._bound:
            raise BusyError

    async def write(self, write: Write) -> None:
        """Store a write; when this returns it is on the disk.

        Raises:
            BusyError: As much waits as may.
            StorageError: It could not be stored; nothing of it was.
        """
        self.check_room()
        waiting = _Waiting(write, asyncio.get_running_loop().create_future())
        self.waiting_bytes += write.size
        self._queue.append(waiting)
        self._arrived.set()
        await waiting.done

    async def _run(self) -> None:
        while self._queue or not self._stopping:
            await self._arrived.wait()
            self._arrived.clear()
            while self._queue:
                await self._commit(self._take())

    def _take(self) -> list[_Waiting]:
        rows = count = 0
        while count < len(self._queue) and rows < GROUP:
            rows += len(self._queue[count].write.rows) + 1
            count += 1
        group, self._queue = self._queue[:count], self._queue[count:]
        return group

    async def _commit(self, group: list[_Waiting]) -> None:
        try:
            await self._store_or_part(group)
        finally:
            self.waiting_bytes -= sum(waiting.write.size for waiting in group)

    async def _store_or_part(self, group: list[_Waiting]) -> None:
        """Store a group; where that fails, each write by itself, so that one spoils no other."""
        try:
            await self._store([waiting.write for waiting in group])
        except Exception as error:  # noqa: BLE001 - whatever it is, the writer goes on
            if len(group) == 1:
                logger.warning("a write could not be stored: %s", type(error).__name__)
                _settle(group, StorageError(type(error).__name__))
                return
            for waiting in group:
                await self._store_or_part([waiting])
            return
        self.committed += len(group)
        _settle(group, None)

    async def _store(self, writes: list[Write]) -> None:
        digests = {row.sha256 for write in writes for row in write.rows if row.sha256}
        if digests:
            await asyncio.to_thread(self._blobs.sync, digests)
        async with self._engine.begin() as connection:
            changed = await _Group(connection, writes).store()
        for tenant, run_id in changed:
            self._hub.changed(tenant, run_id)


def _settle(group: list[_Waiting], failure: StorageError | None) -> None:
    for waiting in group:
        with suppress(asyncio.InvalidStateError):  # a caller that went away
            if failure is None:
                waiting.done.set_result(None)
            else:
                waiting.done.set_exception(failure)


class _Group:
    """The statements of one transaction."""

    def __init__(self, connection: AsyncConnection, writes: list[Write]) -> None:
        self._connection = connection
        self._by_run: dict[tuple[str, str], list[Write]] = defaultdict(list)
        for write in writes:
            self._by_run[write.tenant, write.run_id].append(write)

    async def store(self) -> list[tuple[str, str]]:
        now = time.time()
        rows: list[dict[str, Any]] = []
        steps: list[dict[str, Any]] = []
        for (tenant, run_id), writes in sorted(self._by_run.items()):
            run, last = await self._claim(tenant, run_id, writes, now)
            kept = await self._without_regressions(run, [r for w in writes for r in w.rows])
            for seq, row in enumerate(kept, last - sum(len(w.rows) for w in writes) + 1):
                (rows if row.once else steps).append(_values(run, seq, row))
        if rows:
            await self._connection.execute(_ADD, rows)
        if steps:
            await self._connection.execute(_REPLACE, _latest(steps))
        return list(self._by_run)

    async def _claim(
        self, tenant: str, run_id: str, writes: list[Write], now: float
    ) -> tuple[int, int]:
        """Lock the run, and take as many numbers of its sequence as there are rows."""
        key = {"tenant": tenant, "run_id": run_id}
        made = insert(runs).values(**key, seq=0, created=now, changed=now, last_step=None)
        await self._connection.execute(made.on_conflict_do_nothing())
        facts: dict[str, Any] = {}
        for write in writes:
            facts.update(write.facts)
        count = sum(len(write.rows) for write in writes)
        indexes = [r.step_index or 0 for w in writes for r in w.rows if r.kind == "step"]
        if indexes:
            seen = max(indexes) + 1
            facts["step_count"] = case((runs.c.step_count > seen, runs.c.step_count), else_=seen)
        changed = (
            update(runs)
            .where(runs.c.tenant == tenant, runs.c.run_id == run_id)
            .values(
                **facts,
                seq=runs.c.seq + count,
                changed=now,
                last_seen=now,
                masked=runs.c.masked + sum(write.masked for write in writes),
            )
            .returning(runs.c.id, runs.c.seq)
        )
        row = (await self._connection.execute(changed)).one()
        if facts.get("status", "running") != "running":
            await self._expire(row.id)
        return row.id, row.seq

    async def _expire(self, run: int) -> None:
        ended = update(commands).where(commands.c.run == run, commands.c.state == "queued")
        await self._connection.execute(ended.values(state="expired"))

    async def _without_regressions(self, run: int, rows: list[Row]) -> list[Row]:
        """Leave out what would put a step that ended back to running."""
        ended: set[str] = set()
        kept: list[Row] = []
        early = [r.item for r in rows if r.kind == "step" and r.status not in TERMINAL]
        if early:
            found = await self._connection.execute(
                select(records.c.item).where(
                    records.c.run == run,
                    records.c.kind == "step",
                    records.c.item.in_(early[:500]),
                    records.c.status.in_(TERMINAL),
                )
            )
            ended = set(found.scalars())
        for row in rows:
            if row.kind == "step" and row.status in TERMINAL:
                ended.add(row.item)
            elif row.kind == "step" and row.item in ended:
                continue
            kept.append(row)
        return kept


def _values(run: int, seq: int, row: Row) -> dict[str, Any]:
    return {
        "run": run,
        "seq": seq,
        "kind": row.kind,
        "item": row.item,
        "path": row.path,
        "step_index": row.step_index,
        "status": row.status,
        "canonical": row.canonical,
        "brief": row.brief,
        "body": row.body,
        "sha256": row.sha256,
        "size": row.size,
    }


def _latest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The last row of each identity, and whether any of them was canonical."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = (row["run"], row["kind"], row["item"])
        before = found.pop(key, None)
        if before is not None and before["canonical"]:
            row["canonical"] = True
        found[key] = row
    return list(found.values())


_COLUMNS: Final = [column.name for column in records.columns]
_INSERT: Final = insert(records).values({name: bindparam(name) for name in _COLUMNS})
_ADD: Final = _INSERT.on_conflict_do_nothing()
_FRESH: Final = _INSERT.excluded
_SAME: Final = (records.c.body == _FRESH.body) & (records.c.sha256 == _FRESH.sha256)
_REPLACE: Final = _INSERT.on_conflict_do_update(
    index_elements=["run", "kind", "item"],
    set_={
        "seq": case((_SAME, records.c.seq), else_=_FRESH.seq),
        "canonical": or_(records.c.canonical, _FRESH.canonical),
        **{
            name: func.coalesce(getattr(_FRESH, name), getattr(records.c, name))
            for name in ("path", "step_index", "status", "brief", "body", "sha256", "size")
        },
    },
)
