"""The writer: takes entries from the inbox and puts them into the journal, a batch at a time.

A record is in the operating system's hands at most 100 ms after its call returned: the writer
lingers `LINGER` for a batch to gather, and no turn at a worker thread takes much longer.
"""

from __future__ import annotations

import contextlib

import anyio
from anyio.abc import TaskStatus

from augur_sdk.entry import Entry
from augur_sdk.pipeline.appending import AsyncJournal
from augur_sdk.pipeline.doorbell import Doorbell
from augur_sdk.pipeline.intake import Intake
from augur_sdk.pipeline.portal import Runtime

__all__ = ["LINGER", "Writer"]

LINGER = 0.02
"""Seconds to wait for more before a batch is taken; a hop to a thread costs more than a record."""

FIRST_RETRY = 0.05
LAST_RETRY = 1.0
"""Seconds between attempts on a failing disk: soon enough to notice healing, rarely enough to
cost nothing."""


class Writer:
    """The task between inbox and journal."""

    def __init__(self, runtime: Runtime, intake: Intake, *, durable: bool) -> None:
        self._runtime = runtime
        self._intake = intake
        self._durable = durable
        self._journal = AsyncJournal(intake.archive.journal, runtime.workers)
        self._stopping = anyio.Event()
        self._hurry = anyio.Event()
        self.bell: Doorbell = Doorbell()
        self.dirty: Doorbell = Doorbell()
        self.unsynced: Doorbell = Doorbell()
        self.pictures: Doorbell = Doorbell()
        self.storing: bool = False

    def hurry(self) -> None:
        """Do not linger: somebody waits for what is in the inbox. On the portal."""
        self._hurry.set()
        self.bell.ring_here()

    def stop(self) -> None:
        """End after the batch in hand; what is left is somebody else's. On the portal."""
        self._stopping.set()
        self._hurry.set()
        self.bell.close()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Store batches until stopped."""
        task_status.started()
        try:
            async for _ in self.bell.rings():
                await self._linger()
                self.storing = True
                while not self._stopping.is_set() and (batch := self._intake.take()):
                    await self._store(batch)
                await self._append_notes()
                self.storing = False
                self.pictures.ring_here()
        except RuntimeError:
            # The interpreter is going down and takes no more work for threads; the batch in
            # hand stays held, and the exit path stores it.
            return
        finally:
            self.dirty.close()
            self.unsynced.close()
            self.pictures.close()

    async def _linger(self) -> None:
        with anyio.move_on_after(LINGER):
            await self._hurry.wait()
        if not self._stopping.is_set():
            self._hurry = anyio.Event()

    async def _store(self, batch: list[Entry]) -> None:
        delay = FIRST_RETRY
        while not self._stopping.is_set():
            try:
                await self._attempt(batch)
            except OSError as error:
                self._intake.failed(error)
            else:
                return
            with anyio.move_on_after(delay):
                await self._stopping.wait()
            delay = min(2 * delay, LAST_RETRY)

    async def _append_notes(self) -> None:
        """What does not get there is said again by the next note."""
        notes = b"" if self._stopping.is_set() else self._intake.notes()
        if notes:
            with contextlib.suppress(OSError):
                await self._journal.append(notes)

    async def _attempt(self, batch: list[Entry]) -> None:
        prepared = await self._runtime.in_worker(self._intake.prepare, batch)
        start = await self._journal.append(bytes(prepared.data))
        if self._durable:
            await self._runtime.in_worker(self._intake.archive.sync)
        self._intake.commit(prepared, start)
        self.dirty.ring_here()
        self.unsynced.ring_here()
