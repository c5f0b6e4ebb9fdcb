"""The pump: takes what waits in the inbox and sends it on, a batch at a time.

While the session is busy the pump looks into the inbox by itself, so a caller never pays for
waking the loop (a hundred microseconds and more). After a quiet second it sleeps, and the next
call wakes it. Closing the stream of batches is what stops the writer.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final, TypeAlias

import anyio
from anyio.streams.memory import MemoryObjectSendStream

from augur_sdk.agent_loop import call_on
from augur_sdk.entry import Entry
from augur_sdk.pipeline.intake import Intake

__all__ = ["POLL", "QUIET", "Batch", "Pump"]

Batch: TypeAlias = list[Entry]

POLL: Final = 0.02
"""Seconds between looks: a batch gathers meanwhile, and a fifth of the promised 100 ms is used."""

QUIET: Final = 1.0
"""Seconds without a record after which the pump sleeps: an agent's steps come closer together."""


class Pump:
    """Carries entries from any thread's inbox to the writer's stream.

    `stop` ends it after the batch in hand: it closes the stream, and what is left in the inbox
    is the closer's. A batch without entries tells the writer that only notes wait.

    Args:
        intake: Where batches are taken from.
        batches: The writer's stream.
        turn: One token, which the writer gives back when it is free.
    """

    def __init__(
        self,
        intake: Intake,
        batches: MemoryObjectSendStream[Batch],
        turn: anyio.Semaphore,
    ) -> None:
        self._intake = intake
        self._batches = batches
        self._turn = turn
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._wake = anyio.Event()
        self._busy_until = self._loop.time() + QUIET
        self._notes_wait = False
        self._stopping = False

    def ring(self) -> None:
        """Wake the pump, or tell it that notes wait; from any thread."""
        with contextlib.suppress(RuntimeError):  # a loop that is gone has no pump either
            call_on(self._loop, self._rung)

    def hurry(self) -> None:
        """Look now: somebody waits for what is in the inbox. On the portal."""
        self._disarm()
        self._wake.set()

    def stop(self) -> None:
        """End after the batch in hand. On the portal."""
        self._stopping = True
        self.hurry()

    async def run(self) -> None:
        """Send batches until stopped, or until the writer is gone."""
        with self._batches, contextlib.suppress(anyio.BrokenResourceError):
            self.hurry()  # what was recorded before the pump stood here did not ring
            while not self._stopping:
                await self._wake.wait()
                self._wake = anyio.Event()
                await self._drain()
                self._arm()
        self._disarm()

    async def _drain(self) -> None:
        notes_wait, self._notes_wait = self._notes_wait, False
        while True:
            # Taken only when the writer is free: what comes while it works is one batch.
            await self._turn.acquire()
            batch = self._next(notes_wait)
            if batch is None:
                self._turn.release()
                return
            notes_wait = False
            await self._batches.send(batch)

    def _next(self, notes_wait: bool) -> Batch | None:
        batch = [] if self._stopping else self._intake.take()
        return batch if batch or (notes_wait and not self._stopping) else None

    def _rung(self) -> None:
        self._notes_wait = True
        if self._timer is None and not self._stopping:
            self._arm()

    def _look(self) -> None:
        # A plain callback, a few microseconds: hundreds of sessions look side by side.
        self._timer = None
        now = self._loop.time()
        if len(self._intake.inbox) or self._notes_wait:
            self._busy_until = now + QUIET
            self._wake.set()
        elif now < self._busy_until or not self._intake.inbox.sleep():
            self._arm()

    def _arm(self) -> None:
        if self._timer is None and not self._stopping:
            self._timer = self._loop.call_later(POLL, self._look)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
