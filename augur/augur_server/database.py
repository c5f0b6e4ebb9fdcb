"""The database's engine: SQLite in a folder, synced at each commit."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from augur_server.schema import metadata

__all__ = ["FILE", "insert", "open_database"]

FILE: Final = "augur.sqlite3"

_PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",  # a commit that returned is on the disk
    "foreign_keys=ON",
    "busy_timeout=10000",
    "cache_size=-16000",
)


async def open_database(folder: Path) -> AsyncEngine:
    """Open the database in a folder, and make its tables where there are none.

    Raises:
        OSError: The folder cannot be made.
        sqlalchemy.exc.SQLAlchemyError: The database cannot be opened.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # noqa: ASYNC240 - once, before the start
    engine = create_async_engine(f"sqlite+aiosqlite:///{folder / FILE}")
    event.listen(engine.sync_engine, "connect", _prepare)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
