"""The inbox: entries on their way from the agent's threads to the writer, bounded.

Pushing never blocks, because it happens under the Recorder's lock; whoever is about to record
asks `full` first and waits for room outside the lock. The bound is in items and in bytes, and
can be passed only by as much as the callers that were let in at the same moment bring.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from augur_sdk.entry import Entry
from augur_sdk.pipeline.losses import Losses, Reason

__all__ = ["MAX_BYTES", "MAX_ITEMS", "Inbox"]

MAX_ITEMS: Final = 8192
MAX_BYTES: Final = 16 * 1024 * 1024
"""About fifty full-page screenshots: a burst is absorbed, memory stays bounded."""


class Inbox:
    """Entries between the Recorder and the writer.

    `ring` is called, from whatever thread pushes, for the first entry after the pump said with
    `sleep` that it no longer looks by itself. While `shedding` is on (the disk fails and the inbox
    is full) new entries are dropped and counted instead of piling up.
    """

    def __init__(self, ring: Callable[[], None], losses: Losses) -> None:
        self._ring = ring
        self._losses = losses
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self._asleep = False
        self._waiting: list[Future[None]] = []
        self.shedding: Reason | None = None
        self.full: bool = False
        self.last_seq: int = 0

    def __len__(self) -> int:
        return len(self._entries)

    def push(self, entry: Entry) -> None:
        """Take an entry; never blocks, never raises."""
        with self._lock:
            if self.full and self.shedding is not None:
                self._losses.drop(self.shedding)
                return
            self._entries.append(entry)
            self._bytes += entry.size
            self.last_seq = entry.seq
            if len(self._entries) >= MAX_ITEMS or self._bytes >= MAX_BYTES:
                self.full = True
            ring, self._asleep = self._asleep, False
        if ring:
            self._ring()

    def take(self, max_items: int, max_bytes: int) -> list[Entry]:
        """Take the oldest entries, at least one where there is any."""
        batch: list[Entry] = []
        size = 0
        with self._lock:
            while self._entries and len(batch) < max_items and (size < max_bytes or not batch):
                entry = self._entries.popleft()
                size += entry.size
                batch.append(entry)
            self._bytes -= size
            self._asleep = False
            self.full = len(self._entries) >= MAX_ITEMS or self._bytes >= MAX_BYTES
            freed = [] if self.full else self._waiting
            if freed:
                self._waiting = []
        for future in freed:
            if not future.cancelled():
                future.set_result(None)
        return batch

    def sleep(self) -> bool:
        """Have the next push ring, unless entries wait already; says whether it will."""
        with self._lock:
            self._asleep = not self._entries
            return self._asleep

    def room(self) -> Future[None]:
        """A future that is done once there is room."""
        future: Future[None] = Future()
        with self._lock:
            if self.full and self.shedding is None:
                self._waiting.append(future)
                return future
        future.set_result(None)
        return future

    def shed(self, reason: Reason | None) -> None:
        """Begin or stop dropping what does not fit; beginning lets all waiters go on."""
        with self._lock:
            self.shedding = reason
            freed, self._waiting = (
                (self._waiting, []) if reason is not None else ([], self._waiting)
            )
        for future in freed:
            if not future.cancelled():
                future.set_result(None)
