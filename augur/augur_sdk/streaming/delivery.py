"""What the sender asks of whoever holds the records (the journal, or a queue in memory)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from augur_sdk.streaming.policy import Reason
from augur_sdk.streaming.routes import Wire

__all__ = ["DeliverySource", "DeliveryStats", "Item", "Load"]

Load = Callable[[], Awaitable[bytes | Path]]
"""Fetches a record's JSON, or says in which file its bytes are. Raises OSError when it is gone."""


@dataclass(frozen=True, slots=True)
class Item:
    """One record to be delivered; its body is fetched when its turn comes.

    Attributes:
        seq: Its number in the journal, from 1, rising.
        kind: What it is, which decides how it travels.
        load: Fetches the body.
        step_index: The step it belongs to.
        name: A step's id, a screenshot's kind, a model call's path, a log's name, or a side
            effect's id: what tells apart records of one kind and step.
        size: About how many bytes the body has.
        also: Earlier records of the same key that this one replaces.
    """

    seq: int
    kind: Wire
    load: Load = field(repr=False, compare=False)
    step_index: int | None = None
    name: str = ""
    size: int = 0
    also: tuple[int, ...] = ()


class DeliverySource(Protocol):
    """Where records come from and where the sender reports; all on the sender's event loop."""

    async def next_batch(self, limit: int) -> list[Item]:
        """Wait for records that were not handed out yet, and return up to `limit`, in order.

        An empty list says that there will be no more.
        """
        ...

    def left(self) -> int:
        """About how many requests it will take to deliver what there is now."""
        ...

    def ack(self, seq: int, superseded: Sequence[int]) -> None:
        """The server answered for `seq`; the others are older versions of the same record."""

    def refuse(self, seqs: Sequence[int], reason: Reason, status: int) -> None:
        """These will not be sent again by this sender."""


@dataclass
class DeliveryStats:
    """What a sender did, in records; `retries` and `requests` count requests."""

    delivered: int = 0
    superseded: int = 0
    requests: int = 0
    retries: int = 0
    refused: dict[str, int] = field(default_factory=dict)

    def count_refused(self, reason: Reason, records: int) -> None:
        """Count records that will not be sent again."""
        self.refused[reason.value] = self.refused.get(reason.value, 0) + records

    def as_dict(self) -> dict[str, object]:
        """A snapshot for `session.stats` and `delivery.json`."""
        return {
            "delivered": self.delivered,
            "superseded": self.superseded,
            "requests": self.requests,
            "retries": self.retries,
            "refused": dict(self.refused),
        }
