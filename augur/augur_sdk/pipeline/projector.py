"""Behind the run: bundle files, pictures' hashes ahead of them, and the way through a power cut."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Final

import anyio

from augur_sdk.bundle.archive import Archive
from augur_sdk.pipeline.doorbell import Doorbell
from augur_sdk.pipeline.portal import WORKERS, Runtime
from augur_sdk.pipeline.writer import Writer

__all__ = ["SLICE", "SYNC_INTERVAL", "Hasher", "Projector", "Syncer", "hash_in_workers"]

SLICE: Final = 0.02
"""Seconds of projecting in one turn: all sessions share the turns."""

SYNC_INTERVAL: Final = 0.4
"""Seconds between syncs: at most 500 ms of a run are lost through a power cut."""


class Projector:
    """Writes the bundle's files as the journal grows; ends when the bell is closed.

    A disk that refuses leaves the target to be written: the next batch rings again, and
    closing projects whatever is left.
    """

    def __init__(self, runtime: Runtime, archive: Archive, bell: Doorbell) -> None:
        self._runtime = runtime
        self._archive = archive
        self._bell = bell
        self._stopping = False

    def stop(self) -> None:
        """End after the turn in hand."""
        self._stopping = True

    async def run(self) -> None:
        """Project until the bell is closed, or `stop` was called."""
        try:
            await self._turn(self._archive.write_schemas)
            async for _ in self._bell.rings():
                while not self._stopping and await self._turn(self._slice):
                    pass
        except RuntimeError:
            return  # the interpreter is going down; the exit path finishes the bundle

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
    end of one picture at most. The writer rings again when it is done.
    """

    def __init__(self, runtime: Runtime, archive: Archive, writer: Writer) -> None:
        self._runtime = runtime
        self._archive = archive
        self._writer = writer
        self._stopping = False

    def stop(self) -> None:
        """End after the picture in hand."""
        self._stopping = True

    async def run(self) -> None:
        """Hash until the bell is closed, or `stop` was called."""
        with contextlib.suppress(RuntimeError):  # the interpreter is going down
            async for _ in self._writer.pictures.rings():
                while not (self._stopping or self._writer.storing) and await self._turn():
                    pass

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
    """Puts the journal through a power cut, at most every `SYNC_INTERVAL`."""

    def __init__(self, runtime: Runtime, archive: Archive, bell: Doorbell) -> None:
        self._runtime = runtime
        self._archive = archive
        self._bell = bell
        self._stopping = anyio.Event()

    def stop(self) -> None:
        """Do not wait for the next turn; closing syncs the whole bundle. On the portal."""
        self._stopping.set()

    async def run(self) -> None:
        """Sync until the bell is closed."""
        try:
            async for rung_at in self._bell.rings():
                # From when something was to be synced: the sync before may have taken long.
                with anyio.move_on_after(rung_at + SYNC_INTERVAL - anyio.current_time()):
                    await self._stopping.wait()
                if not self._stopping.is_set():
                    await self._sync()
        except RuntimeError:
            return  # the interpreter is going down

    async def _sync(self) -> None:
        try:
            await self._runtime.in_worker(self._archive.sync)
        except OSError:
            return  # the writer meets the same disk, and says so
