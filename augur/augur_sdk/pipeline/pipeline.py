"""The tasks of one session on the portal: writer, projector, hasher, syncer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import anyio
from anyio.abc import TaskStatus

from augur_sdk.pipeline.intake import Intake
from augur_sdk.pipeline.portal import Runtime
from augur_sdk.pipeline.projector import Hasher, Projector, Syncer
from augur_sdk.pipeline.writer import Writer

__all__ = ["Pipeline"]


class Pipeline:
    """Runs the tasks until stopped; what is left in the inbox then is the closer's."""

    def __init__(self, runtime: Runtime, intake: Intake, *, durable: bool) -> None:
        self._runtime = runtime
        self._intake = intake
        self._durable = durable
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writer: Writer | None = None
        self._others: list[Projector | Hasher | Syncer] = []

    def ring(self) -> None:
        """Entries wait in the inbox; from any thread."""
        if self._writer is not None:
            self._writer.bell.ring()

    def hurry(self) -> None:
        """Somebody waits for what is in the inbox; from any thread."""
        self._call_soon(self._hurry)

    def stop(self) -> None:
        """End each task after the work in hand; from any thread."""
        self._call_soon(self._stop)

    def _call_soon(self, function: Callable[[], None]) -> None:
        if self._loop is not None:
            # A loop that is closed has no tasks left either.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(function)

    def _hurry(self) -> None:
        if self._writer is not None:
            self._writer.hurry()

    def _stop(self) -> None:
        if self._writer is not None:
            self._writer.stop()
        for task in self._others:
            task.stop()

    async def run(self, *, task_status: TaskStatus[None]) -> None:
        """Run on the portal until `stop`."""
        self._loop = asyncio.get_running_loop()
        archive = self._intake.archive
        self._writer = Writer(self._runtime, self._intake, durable=self._durable)
        self._others = [
            Projector(self._runtime, archive, self._writer.dirty),
            Hasher(self._runtime, archive, self._writer),
            Syncer(self._runtime, archive, self._writer.unsynced),
        ]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._writer.run)
            for task in self._others:
                tasks.start_soon(task.run)
            task_status.started()
            # What was recorded before the tasks stood here did not ring.
            self._writer.bell.ring_here()
