"""Keeping house: backup, check, sizes and retention, beside a server that may be running."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from augur_server.access import Access
from augur_server.blobs import Blobs
from augur_server.database import FILE, open_database
from augur_server.schema import records, runs
from augur_server.watching import delete_run

__all__ = ["FILE", "Keeper", "opened"]


class Keeper:
    """One server's data."""

    def __init__(self, data: Path, engine: AsyncEngine) -> None:
        self._data = data
        self._engine = engine
        self._blobs = Blobs(data / "blobs")
        self.access: Access = Access(engine)

    async def backup(self, target: Path) -> int:
        """Copy everything to a new folder; returns how many pictures.

        The database first: each picture that it names was on the disk before its record was.

        Raises:
            FileExistsError: The folder is there.
        """
        return await asyncio.to_thread(self._backup, target)

    def _backup(self, target: Path) -> int:
        target.mkdir(parents=True, mode=0o700)
        with (
            closing(sqlite3.connect(self._data / FILE)) as source,
            closing(sqlite3.connect(target / FILE)) as copy,
        ):
            source.backup(copy)
        with closing(sqlite3.connect(target / FILE)) as copy:
            rows = copy.execute("SELECT DISTINCT sha256 FROM records WHERE sha256 != ''")
            digests = [row[0] for row in rows]
        copies = Blobs(target / "blobs")
        for digest in digests:
            copies.put_sync(self._blobs.read(digest))
        copies.sync(digests)
        return len(digests)

    async def check(self) -> list[str]:
        """What is wrong: records that cannot be read, pictures that are missing or changed."""
        faults: list[str] = []
        columns = select(records.c.run, records.c.kind, records.c.item, records.c.body)
        async with self._engine.connect() as connection:
            async for run, kind, item, body in await connection.stream(columns):
                if kind != "file" and not _is_json(body):
                    faults.append(f"run {run}: the {kind} {item!r} cannot be read")
            named = select(records.c.sha256).where(records.c.sha256 != "").distinct()
            digests = list((await connection.execute(named)).scalars())
        return faults + await asyncio.to_thread(self._check_blobs, digests)

    def _check_blobs(self, digests: list[str]) -> list[str]:
        faults = []
        for digest in digests:
            try:
                intact = hashlib.sha256(self._blobs.read(digest)).hexdigest() == digest
            except OSError:
                faults.append(f"picture {digest}: is not there")
                continue
            if not intact:
                faults.append(f"picture {digest}: its bytes have changed")
        return faults

    async def sizes(self) -> dict[str, int]:
        """Bytes by what they are for."""
        sums = select(
            func.coalesce(func.sum(func.length(records.c.body)), 0),
        )
        async with self._engine.connect() as connection:
            bodies = int((await connection.execute(sums)).scalar() or 0)
        database = sum(p.stat().st_size for p in self._data.glob(f"{FILE}*"))
        blobs = await asyncio.to_thread(_size_below, self._data / "blobs")
        return {
            "records": bodies,
            "pictures": blobs,
            "database files": database,
            "indexes and free space in them": max(0, database - bodies),
        }

    async def sweep(self, days: float | None, size: int | None) -> int:
        """Delete runs that are older than `days`, and the oldest beyond `size` bytes in all."""
        used = func.sum(func.length(records.c.body) + records.c.size)
        statement = (
            select(runs.c.id, runs.c.created, func.coalesce(used, 0).label("bytes"))
            .join(records, records.c.run == runs.c.id, isouter=True)
            .where(~runs.c.pinned, runs.c.status != "running")
            .group_by(runs.c.id)
            .order_by(runs.c.created.desc())
        )
        async with self._engine.connect() as connection:
            found = list((await connection.execute(statement)).mappings())
        gone = _expired(found, days, size)
        for run in gone:
            await delete_run(self._engine, self._blobs, run)
        return len(gone)


def _expired(found: list[Any], days: float | None, size: int | None) -> list[int]:
    oldest = time.time() - days * 86400 if days is not None else 0.0
    total = 0
    gone = []
    for row in found:
        total += row["bytes"]
        if row["created"] < oldest or (size is not None and total > size):
            gone.append(row["id"])
    return gone


def _is_json(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except ValueError:
        return False
    return True


def _size_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@asynccontextmanager
async def opened(data: Path) -> AsyncIterator[Keeper]:
    """The data in a server's folder."""
    engine = await open_database(data)
    try:
        yield Keeper(data, engine)
    finally:
        await engine.dispose()
