"""The tasks of one session on the portal, and the streams between them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import anyio
from anyio.abc import TaskStatus
from anyio.streams.memory import MemoryObjectStreamStatistics

from augur_sdk.agent_loop import call_on
from augur_sdk.pipeline.intake import Intake
from augur_sdk.pipeline.portal import Runtime
from augur_sdk.pipeline.projector import Hasher, Projector, Syncer
from augur_sdk.pipeline.pump import Batch, Pump
from augur_sdk.pipeline.stored import StoredNews
from augur_sdk.pipeline.writer import Writer

__all__ = ["Pipeline"]


class Pipeline:
    """Runs pump, writer and the readers behind it.

    `stop` ends the pump; the end of each stream ends whoever reads it, in the order in which a
    record travels. What is left in the inbox then is the closer's.
    """

    def __init__(self, runtime: Runtime, intake: Intake, *, durable: bool) -> None:
        self._runtime = runtime
        self._intake = intake
        self._durable = durable
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pump: Pump | None = None
        self._writer: Writer | None = None
        self._statistics: Callable[[], dict[str, MemoryObjectStreamStatistics]] = dict

    def ring(self) -> None:
        """Entries or notes wait; from any thread."""
        if self._pump is not None:
            self._pump.ring()

    def hurry(self) -> None:
        """Somebody waits for what is in the inbox; from any thread."""
        if self._pump is not None:
            self._call_soon(self._pump.hurry)

    def stop(self) -> None:
        """End each task after the work in hand; from any thread."""
        self._call_soon(self._stop)

    def statistics(self) -> dict[str, MemoryObjectStreamStatistics]:
        """A snapshot of each stream, by its reader."""
        return self._statistics()

    def _call_soon(self, function: Callable[[], None]) -> None:
        if self._loop is not None:
            # A loop that is closed has no tasks left either.
            with contextlib.suppress(RuntimeError):
                call_on(self._loop, function)

    def _stop(self) -> None:
        if self._pump is not None and self._writer is not None:
            self._pump.stop()
            self._writer.give_up()

    async def run(self, *, task_status: TaskStatus[None]) -> None:
        """Run on the portal until `stop`."""
        self._loop = asyncio.get_running_loop()
        archive, news = self._intake.archive, StoredNews()
        # The inbox is the buffer: a batch is taken and handed over when the writer is free.
        send, receive = anyio.create_memory_object_stream[Batch](0)
        turn = anyio.Semaphore(1)
        self._writer = Writer(
            self._runtime, self._intake, receive, news, turn, durable=self._durable
        )
        self._pump = Pump(self._intake, send, turn)
        runs = [
            self._pump.run,
            self._writer.run,
            Projector(self._runtime, archive, news.reader("projector")).run,
            Hasher(self._runtime, archive, news.reader("hasher"), self._writer).run,
            Syncer(self._runtime, archive, news.reader("syncer")).run,
        ]
        self._statistics = lambda: {"writer": receive.statistics(), **news.statistics()}
        async with anyio.create_task_group() as tasks:
            for run in runs:
                tasks.start_soon(run)
            task_status.started()
