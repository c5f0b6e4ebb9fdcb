"""The projector and the syncer: bundle files, and the way through a power cut, behind the run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import anyio

from augur_sdk.bundle.archive import Archive
from augur_sdk.pipeline.doorbell import Doorbell
from augur_sdk.pipeline.portal import Runtime

__all__ = ["SLICE", "SYNC_INTERVAL", "Projector", "Syncer"]

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
            async for _ in self._bell.rings():
                with anyio.move_on_after(SYNC_INTERVAL):
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
