"""Behind the run: bundle files, pictures' hashes ahead of them, and the way through a power cut."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Final

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream

from augur_sdk.bundle.archive import Archive
from augur_sdk.pipeline.portal import WORKERS, Runtime
from augur_sdk.pipeline.stored import Stored, is_closed
from augur_sdk.pipeline.writer import Writer

__all__ = ["SLICE", "SYNC_INTERVAL", "Hasher", "Projector", "Syncer", "hash_in_workers"]

SLICE: Final = 0.02
"""Seconds of projecting in one turn: all sessions share the turns."""

SYNC_INTERVAL: Final = 0.4
"""Seconds between syncs: at most 500 ms of a run are lost through a power cut."""


class Projector:
    """Writes the bundle's files as the journal grows; ends with its stream, after the turn in hand.

    A disk that refuses leaves the target to be written: the next batch is another attempt, and
    closing projects whatever is left.
    """

    def __init__(
        self, runtime: Runtime, archive: Archive, stored: MemoryObjectReceiveStream[Stored]
    ) -> None:
        self._runtime = runtime
        self._archive = archive
        self._stored = stored

    async def run(self) -> None:
        """Project until the stream is closed."""
        # At interpreter exit threads take no more work; the exit path finishes the bundle.
        with self._stored, contextlib.suppress(RuntimeError):
            await self._turn(self._archive.write_schemas)
            async for _ in self._stored:
                while not is_closed(self._stored) and await self._turn(self._slice):
                    pass

    def _slice(self) -> bool:
        return not self._archive.project(SLICE)

    async def _turn(self, work: Callable[[], bool | None]) -> bool:
        async with self._runtime.projecting:
            try:
                return bool(await self._runtime.in_worker(work))
            except OSError:
                return False


class Hasher:
    """Hashes pictures that wait for the projector, on the worker that it leaves free.

    One picture at a time, and none while the writer has a batch in hand: a record waits for the
    end of one picture at most. Ends with its stream, after the picture in hand.
    """

    def __init__(
        self,
        runtime: Runtime,
        archive: Archive,
        stored: MemoryObjectReceiveStream[Stored],
        writer: Writer,
    ) -> None:
        self._runtime = runtime
        self._archive = archive
        self._stored = stored
        self._writer = writer

    async def run(self) -> None:
        """Hash until the stream is closed."""
        with self._stored, contextlib.suppress(RuntimeError):  # the interpreter is going down
            async for _ in self._stored:
                while self._may_go_on() and await self._turn():
                    pass

    def _may_go_on(self) -> bool:
        return not (self._writer.storing or is_closed(self._stored))

    async def _turn(self) -> bool:
        async with self._runtime.hashing:
            return await self._runtime.in_worker(self._archive.projection.hash_ahead)


def hash_in_workers(runtime: Runtime, archive: Archive) -> None:
    """Have the workers hash what the calling thread is about to project.

    Each goes to the end of the workers' queue after each picture, since other sessions' records
    wait there. At interpreter exit the workers take nothing more, and the caller does it all.
    """

    def one() -> None:
        if archive.projection.hash_ahead():
            submit()

    def submit() -> None:
        with contextlib.suppress(RuntimeError):
            runtime.submit(one)

    for _ in range(WORKERS):
        submit()


class Syncer:
    """Puts the journal through a power cut, `SYNC_INTERVAL` after there was something to sync.

    Ends with its stream, at once: closing syncs the whole bundle.
    """

    def __init__(
        self, runtime: Runtime, archive: Archive, stored: MemoryObjectReceiveStream[Stored]
    ) -> None:
        self._runtime = runtime
        self._archive = archive
        self._stored = stored

    async def run(self) -> None:
        """Sync until the stream is closed."""
        with self._stored, contextlib.suppress(RuntimeError):  # the interpreter is going down
            async for first in self._stored:
                # From when something was to be synced: the sync before may have taken long.
                if await self._closed_by(first.at + SYNC_INTERVAL):
                    return
                await self._sync()

    async def _closed_by(self, deadline: float) -> bool:
        with anyio.move_on_after(deadline - anyio.current_time()):
            async for _ in self._stored:
                pass  # stored meanwhile: the sync to come covers it too
            return True
        return False

    async def _sync(self) -> None:
        try:
            await self._runtime.in_worker(self._archive.sync)
        except OSError:
            return  # the writer meets the same disk, and says so
