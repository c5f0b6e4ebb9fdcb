"""The writer: puts batches into the journal, and tells the readers behind it.

A record is in the operating system's hands at most 100 ms after its call returned: the pump
looks every `POLL` seconds, and no turn at a worker thread takes much longer.
"""

from __future__ import annotations

import contextlib

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream

from augur_sdk.pipeline.appending import AsyncJournal
from augur_sdk.pipeline.intake import Intake
from augur_sdk.pipeline.portal import Runtime
from augur_sdk.pipeline.pump import Batch
from augur_sdk.pipeline.stored import Stored, StoredNews

__all__ = ["Writer"]

FIRST_RETRY = 0.05
LAST_RETRY = 1.0
"""Seconds between attempts on a failing disk: soon enough to notice healing, rarely enough to
cost nothing."""


class Writer:
    """The task between the pump and the journal.

    It ends when the stream of batches is closed, and closes its readers' streams then. On a disk
    that fails it holds on to its batch; `give_up` leaves that batch to the closer.

    Args:
        runtime: Its worker threads.
        intake: How a batch gets into the journal.
        batches: What it stores.
        news: What tells its readers.
        turn: The pump's token, given back after each batch.
        durable: Whether a batch is synced before its calls return.
    """

    def __init__(
        self,
        runtime: Runtime,
        intake: Intake,
        batches: MemoryObjectReceiveStream[Batch],
        news: StoredNews,
        turn: anyio.Semaphore,
        *,
        durable: bool,
    ) -> None:
        self._runtime = runtime
        self._intake = intake
        self._batches = batches
        self._news = news
        self._turn = turn
        self._durable = durable
        self._journal = AsyncJournal(intake.archive.journal, runtime.workers)
        self._given_up = anyio.Event()
        self.storing: bool = False

    def give_up(self) -> None:
        """Insist no longer on a disk that fails. On the portal."""
        self._given_up.set()

    async def run(self) -> None:
        """Store batches until there are no more."""
        # At interpreter exit threads take no more work: the batch in hand stays held, and the
        # exit path stores it.
        with self._batches, contextlib.suppress(RuntimeError):
            async for batch in self._batches:
                try:
                    await self._take_in(batch)
                finally:
                    self._turn.release()
        self._news.close()

    async def _take_in(self, batch: Batch) -> None:
        if batch:
            await self._store(batch)
        if not self._intake.inbox:
            await self._append_notes()

    async def _store(self, batch: Batch) -> None:
        delay = FIRST_RETRY
        while not self._given_up.is_set():
            self.storing = True
            try:
                await self._attempt(batch)
            except OSError as error:
                self._intake.failed(error)
            else:
                return
            finally:
                self.storing = False
            with anyio.move_on_after(delay):
                await self._given_up.wait()
            delay = min(2 * delay, LAST_RETRY)

    async def _attempt(self, batch: Batch) -> None:
        prepared = await self._runtime.in_worker(self._intake.prepare, batch)
        start = await self._journal.append(bytes(prepared.data))
        if self._durable:
            await self._runtime.in_worker(self._intake.archive.sync)
        self._intake.commit(prepared, start)
        self._news.tell(Stored(prepared.last_seq, anyio.current_time()))

    async def _append_notes(self) -> None:
        """What does not get there is said again by the next note."""
        notes = b"" if self._given_up.is_set() else self._intake.notes()
        if notes:
            with contextlib.suppress(OSError):
                await self._journal.append(notes)
