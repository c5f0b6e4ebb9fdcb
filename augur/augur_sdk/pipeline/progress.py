"""How far the journal has come, for those who wait for it."""

from __future__ import annotations

import threading
from concurrent.futures import Future

__all__ = ["Progress"]


class Progress:
    """The number of the last entry that the journal holds, and who waits for which."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[int, Future[None]]] = []
        self.seq: int = 0

    def reached(self, seq: int) -> None:
        """Every entry up to `seq` is stored, or counted as lost."""
        with self._lock:
            self.seq = max(self.seq, seq)
            done = [future for at, future in self._waiting if at <= self.seq]
            self._waiting = [pair for pair in self._waiting if pair[0] > self.seq]
        for future in done:
            if not future.cancelled():
                future.set_result(None)

    def when(self, seq: int) -> Future[None]:
        """A future that is done once entry `seq` is stored."""
        future: Future[None] = Future()
        with self._lock:
            if seq > self.seq:
                self._waiting.append((seq, future))
                return future
        future.set_result(None)
        return future
