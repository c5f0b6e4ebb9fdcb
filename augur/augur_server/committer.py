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

from sqlalchemy import bindparam, case, func, or_, select, tuple_, update
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
        claimed = await self._claim(now)
        ended = await self._ended_steps([row.id for row in claimed.values()])
        adding: list[dict[str, Any]] = []
        replacing: list[dict[str, Any]] = []
        for key, writes in self._by_run.items():
            run = claimed[key]
            numbered = enumerate((row for write in writes for row in write.rows), run.seq + 1)
            for seq, row in numbered:
                if not _goes_back(run.id, row, ended):
                    (adding if row.once else replacing).append(_values(run.id, seq, row))
        if adding:
            await self._connection.execute(_ADD, adding)
        if replacing:
            await self._connection.execute(_REPLACE, _latest(replacing))
        return list(self._by_run)

    async def _claim(self, now: float) -> dict[tuple[str, str], Any]:
        """Lock the runs, as they are, and take as many numbers of each as there are rows.

        The first statement writes, whatever is there: from then on nobody else does.
        """
        made = [
            {"tenant": tenant, "run_id": run_id, "created": now} for tenant, run_id in self._by_run
        ]
        await self._connection.execute(_MAKE_RUN, made)
        names = tuple_(runs.c.tenant, runs.c.run_id).in_(list(self._by_run))
        columns = (runs.c.id, runs.c.tenant, runs.c.run_id, runs.c.seq, runs.c.step_count)
        found = await self._connection.execute(select(*columns).where(names))
        claimed = {(row.tenant, row.run_id): row for row in found}
        moved = [_moved(claimed[key], writes, now) for key, writes in self._by_run.items()]
        await self._connection.execute(_MOVE_RUN, moved)
        for key, writes in self._by_run.items():
            await self._state_facts(claimed[key].id, writes)
        return claimed

    async def _state_facts(self, run: int, writes: list[Write]) -> None:
        facts: dict[str, Any] = {}
        for write in writes:
            facts.update(write.facts)
        if facts:
            await self._connection.execute(update(runs).where(runs.c.id == run).values(**facts))
        if facts.get("status", "running") != "running":
            ended = update(commands).where(commands.c.run == run, commands.c.state == "queued")
            await self._connection.execute(ended.values(state="expired"))

    async def _ended_steps(self, run_ids: list[int]) -> set[tuple[int, str]]:
        """Which of the steps that are said to run have ended already."""
        all_rows = [row for writes in self._by_run.values() for w in writes for row in w.rows]
        early = {r.item for r in all_rows if r.kind == "step" and r.status not in TERMINAL}
        if not early:
            return set()
        statement = select(records.c.run, records.c.item).where(
            records.c.run.in_(run_ids),
            records.c.kind == "step",
            records.c.item.in_(early),
            records.c.status.in_(TERMINAL),
        )
        return {(row.run, row.item) for row in await self._connection.execute(statement)}


def _moved(run: Any, writes: list[Write], now: float) -> dict[str, Any]:
    rows = [row for write in writes for row in write.rows]
    steps = [(row.step_index or 0) + 1 for row in rows if row.kind == "step"]
    return {
        "run": run.id,
        "seq": run.seq + len(rows),
        "step_count": max([run.step_count, *steps]),
        "now": now,
        "masked": sum(write.masked for write in writes),
    }


def _goes_back(run: int, row: Row, ended: set[tuple[int, str]]) -> bool:
    """Whether a row would put a step that ended back to running; takes note of those that end."""
    if row.kind != "step":
        return False
    if row.status in TERMINAL:
        ended.add((run, row.item))
        return False
    return (run, row.item) in ended


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


_MAKE_RUN: Final = (
    insert(runs)
    .values(
        tenant=bindparam("tenant"),
        run_id=bindparam("run_id"),
        created=bindparam("created"),
        changed=bindparam("created"),
        seq=0,
    )
    .on_conflict_do_nothing()
)
_MOVE_RUN: Final = (
    update(runs)
    .where(runs.c.id == bindparam("run"))
    .values(
        seq=bindparam("seq"),
        step_count=bindparam("step_count"),
        changed=bindparam("now"),
        last_seen=bindparam("now"),
        masked=runs.c.masked + bindparam("masked"),
    )
)
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
