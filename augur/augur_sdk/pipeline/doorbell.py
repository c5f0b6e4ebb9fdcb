"""A doorbell: tells a task on the portal, from any thread, that there is work."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import anyio

__all__ = ["Doorbell"]


class Doorbell:
    """Rings are merged: any number of them before the task looks is one.

    Made on the portal. A bounded memory stream of one item carries the ring; closing it is the
    stop signal, after the rings that were there before.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._send, self._receive = anyio.create_memory_object_stream[float](1)

    def ring(self) -> None:
        """Ring from any thread; a loop that is gone is nobody's fault."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.ring_here)

    def ring_here(self) -> None:
        """Ring on the portal's own thread."""
        with contextlib.suppress(anyio.WouldBlock, anyio.ClosedResourceError):
            self._send.send_nowait(self._loop.time())

    def close(self) -> None:
        """Let the task end once it has answered what was rung; on the portal."""
        self._send.close()

    async def rings(self) -> AsyncIterator[float]:
        """When each ring came, by the loop's clock, the first of those merged; until the close."""
        with self._receive:
            async for rung_at in self._receive:
                yield rung_at
