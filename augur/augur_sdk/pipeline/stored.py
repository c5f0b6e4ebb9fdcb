"""News of what the journal holds, for those who work behind it: one bounded stream a reader."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import anyio
from anyio.streams.memory import (
    MemoryObjectReceiveStream,
    MemoryObjectSendStream,
    MemoryObjectStreamStatistics,
)

__all__ = ["Stored", "StoredNews", "is_closed"]


@dataclass(frozen=True, slots=True)
class Stored:
    """A batch that the journal holds: up to which number, and since when by the loop's clock."""

    last_seq: int
    at: float


class StoredNews:
    """Sends each batch's `Stored` to every reader, and never waits for one.

    A reader's stream holds one item. Where it is full, that item stands for the batches behind
    it too: a reader looks at the journal, not at the item, for what there is to do. Closing ends
    every reader after the item that it has.
    """

    def __init__(self) -> None:
        self._readers: dict[str, MemoryObjectSendStream[Stored]] = {}

    def reader(self, name: str) -> MemoryObjectReceiveStream[Stored]:
        """A stream of its own for one reader."""
        send, receive = anyio.create_memory_object_stream[Stored](1)
        self._readers[name] = send
        return receive

    def tell(self, stored: Stored) -> None:
        """Send to every reader; on the portal."""
        for send in self._readers.values():
            with contextlib.suppress(anyio.WouldBlock, anyio.BrokenResourceError):
                send.send_nowait(stored)

    def close(self) -> None:
        """Nothing more will be stored by the writer."""
        for send in self._readers.values():
            send.close()

    def statistics(self) -> dict[str, MemoryObjectStreamStatistics]:
        """A snapshot of each reader's stream, by name."""
        return {name: send.statistics() for name, send in self._readers.items()}


def is_closed(stream: MemoryObjectReceiveStream[Stored]) -> bool:
    """Whether the sending side was closed: the work in hand is the last."""
    return stream.statistics().open_send_streams == 0
