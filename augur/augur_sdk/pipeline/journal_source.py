"""The sender's view of a journal: what to send, read back when its turn comes."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Final

import anyio

from augur_sdk.agent_loop import call_on
from augur_sdk.bundle.delivery_log import DeliveryLog
from augur_sdk.bundle.journal import Ref
from augur_sdk.bundle.waiting import Waiting
from augur_sdk.streaming.delivery import Item
from augur_sdk.streaming.policy import Reason
from augur_sdk.streaming.routes import Wire

__all__ = ["JournalSource"]

_FILES = frozenset({Wire.SCREENSHOT, Wire.TRACE, Wire.MANIFEST})
"""What is read from its own file, piece by piece while it is sent."""


FILE_SIZE: Final = 128 * 1024
"""Bytes that a picture is taken to have until it is read: asking the disk for each is too dear."""


class JournalSource:
    """A `DeliverySource` over a delivery log; on the portal, but for `wake` and `end`.

    Args:
        log: What is delivered, and what is not.
        root: The bundle's folder, for pictures.
        read: Reads a record back from the journal.
        changed: Called when the log has something new to write down.
    """

    def __init__(
        self,
        log: DeliveryLog,
        root: Path,
        read: Callable[[Ref], Awaitable[bytes]],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.log = log
        self.accepted: anyio.Event = anyio.Event()
        self._root = root
        self._read = read
        self._changed = changed
        self._handed: dict[int, Waiting] = {}
        self._ended = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._awaited: list[tuple[int, Future[None]]] = []
        self._lock = threading.Lock()
        self._filled = anyio.Event()

    def wake(self) -> None:
        """There is something to send, or the end has come; from any thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # a loop that is gone sends nothing
                call_on(self._loop, self._set_filled)

    def _set_filled(self) -> None:
        self._filled.set()

    def end(self) -> None:
        """There will be no more; from any thread."""
        self._ended = True
        self.wake()

    async def next_batch(self, limit: int) -> list[Item]:
        """Wait for records, and take up to `limit`; none left and none to come is an empty list."""
        self._loop = asyncio.get_running_loop()
        while True:
            filled = self._filled = anyio.Event()
            ended = self._ended
            batch = self.log.take(limit)
            if batch or ended:
                return [self._item(record) for record in batch]
            await filled.wait()

    def _item(self, record: Waiting) -> Item:
        self._handed[record.seq] = record

        async def load() -> bytes | Path:
            if self.log.is_withdrawn(record):
                raise FileNotFoundError("the record was withdrawn")
            if record.ref is None or record.wire in _FILES:
                return self._root / record.path
            return await self._read(record.ref)

        of_file = record.ref is None or record.wire in _FILES
        size = FILE_SIZE if of_file or record.ref is None else record.ref.length
        return Item(
            record.seq,
            record.wire,
            load,
            record.step_index,
            record.name,
            size,
            tuple(record.also),
        )

    def left(self) -> int:
        """Records that can be sent and have not ended; some will be superseded."""
        return self.log.pending - self.log.held

    def ack(self, seq: int, superseded: Sequence[int]) -> None:
        """The server answered for `seq`; the others are older versions of the same record."""
        self._forget([*superseded, seq])
        self.log.settle(seq, superseded)
        self.accepted.set()
        self._settled()

    def refuse(self, seqs: Sequence[int], reason: Reason, status: int) -> None:
        """The server will not take these."""
        self.log.refuse(self._forget(seqs), seqs, reason, status)
        self._settled()

    def delivered(self) -> Future[None]:
        """A future that is done once everything stored so far has ended; from any thread.

        What is held back until its step is known is not waited for.
        """
        future: Future[None] = Future()
        with self._lock:
            self._awaited.append((self.log.last_seq, future))
        self._tell()
        return future

    def _settled(self) -> None:
        self._changed()
        self._tell()

    def _tell(self) -> None:
        with self._lock:
            waiting = [entry for entry in self._awaited if self.log.waits(entry[0])]
            done = [entry for entry in self._awaited if entry not in waiting]
            self._awaited = [entry for entry in waiting if not entry[1].cancelled()]
        for _, future in done:
            if future.set_running_or_notify_cancel():
                future.set_result(None)

    def _forget(self, seqs: Sequence[int]) -> Waiting | None:
        found = [self._handed.pop(seq, None) for seq in seqs]
        return found[-1] if found else None
