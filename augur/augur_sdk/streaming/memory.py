"""A source of records that lives in memory, for callers that keep no journal."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Final

import anyio

from augur_sdk.agent_loop import call_on
from augur_sdk.streaming.delivery import Item
from augur_sdk.streaming.policy import Reason
from augur_sdk.streaming.routes import Wire

__all__ = ["MAX_BYTES", "MAX_ITEMS", "MemorySource"]

MAX_ITEMS: Final = 10_000
MAX_BYTES: Final = 32 * 1024 * 1024
"""About a hundred full-page screenshots; beyond it records are dropped and counted."""

Prepare = Callable[[Wire, bytes], Awaitable[bytes]]


class MemorySource:
    """A bounded queue: filled from any thread, emptied by a `Sender`.

    `accepted == delivered + superseded + refused + pending`, and what did not fit is in `dropped`.

    Args:
        prepare: Turns a record as it was handed over into what is sent (redaction).
        max_items: Records kept at most.
        max_bytes: Bytes kept at most.
    """

    def __init__(
        self, prepare: Prepare, *, max_items: int = MAX_ITEMS, max_bytes: int = MAX_BYTES
    ) -> None:
        self.accepted: int = 0
        self.delivered: int = 0
        self.superseded: int = 0
        self.refused: int = 0
        self.dropped: int = 0
        self._prepare = prepare
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._queue: deque[Item] = deque()
        self._sizes: dict[int, int] = {}
        self._bytes = 0
        self._ended = False
        self._pid = os.getpid()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._filled = anyio.Event()

    @property
    def pending(self) -> int:
        """Records that are neither delivered nor refused yet."""
        return len(self._sizes)

    def put(
        self, kind: Wire, body: bytes, *, step_index: int | None = None, name: str = ""
    ) -> bool:
        """Take a record; from any thread, at once. False when it was dropped and counted."""
        if self._pid != os.getpid():
            self.dropped += 1
            return False
        with self._lock:
            full = len(self._sizes) >= self._max_items or self._bytes + len(body) > self._max_bytes
            if full or self._ended:
                self.dropped += 1
                return False
            self.accepted += 1
            self._sizes[self.accepted] = len(body)
            self._bytes += len(body)
            self._queue.append(self._item(self.accepted, kind, body, step_index, name))
        self._ring()
        return True

    def _item(self, seq: int, kind: Wire, body: bytes, step: int | None, name: str) -> Item:
        async def load() -> bytes:
            return await self._prepare(kind, body)

        return Item(seq, kind, load, step, name, len(body))

    def end(self) -> None:
        """There will be no more."""
        with self._lock:
            self._ended = True
        self._ring()

    def _ring(self) -> None:
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):
                call_on(loop, self._wake)

    def _wake(self) -> None:
        self._filled.set()

    async def next_batch(self, limit: int) -> list[Item]:
        """Wait for records, and take up to `limit`; none left and none to come is an empty list."""
        self._loop = asyncio.get_running_loop()
        while True:
            filled = self._filled = anyio.Event()
            with self._lock:
                batch = list(islice(self._queue, limit))
                for _ in batch:
                    self._queue.popleft()
                if batch or self._ended:
                    return batch
            await filled.wait()

    def left(self) -> int:
        """Records that are neither delivered nor refused yet."""
        return self.pending

    def ack(self, seq: int, superseded: Sequence[int]) -> None:
        """Forget what was delivered, and what it replaced."""
        self.delivered += self._forget([seq])
        self.superseded += self._forget(superseded)

    def refuse(self, seqs: Sequence[int], reason: Reason, status: int) -> None:  # noqa: ARG002 - the sender counts by reason
        """Forget what the server will not take; nobody keeps it here."""
        self.refused += self._forget(seqs)

    def _forget(self, seqs: Sequence[int]) -> int:
        with self._lock:
            sizes = [self._sizes.pop(seq) for seq in seqs if seq in self._sizes]
            self._bytes -= sum(sizes)
        return len(sizes)
