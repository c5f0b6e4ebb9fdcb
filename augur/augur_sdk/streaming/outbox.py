"""Which request goes next; pure.

Records wait in lanes (`routes.lane`). From each lane one request is under way at a time, so
answers that arrive late or out of order cannot make a record go back. Across lanes the oldest
record goes first. A record that a newer one replaces gives it its place in the order.

A barrier goes when everything older is settled, and holds back everything younger until it is
settled itself. Records that the server keeps failing on do not count: the run's end must not
wait for the one record that breaks the server.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from augur_sdk.streaming.delivery import Item
from augur_sdk.streaming.routes import BARRIERS, MERGE, Merge, Wire, lane

__all__ = ["Outbox", "Parcel"]

TOGETHER_ITEMS: Final = 100
"""Records in one request at most; a server's log stays readable."""

TOGETHER_BYTES: Final = 256 * 1024
"""Bytes in one request at most, as far as sizes are known; well under any server's limit."""

SET_ASIDE: Final = 3
"""Failures after which a record is taken for what breaks the server: others go before it."""

SET_ASIDE_FACTOR: Final = 1.5
"""How much longer than the host's hold such a record waits, so that the probe is another one."""


@dataclass(eq=False)
class Parcel:
    """What one request carries, and the records that its outcome settles.

    Once it was tried its contents are fixed: the same body goes under the same key.
    """

    lane: str
    items: list[Item]
    covers: list[int]
    order: int
    barrier: bool = False
    attempts: int = 0
    tried: bool = False
    not_before: float = float("-inf")

    @property
    def kind(self) -> Wire:
        """What kind of record it carries."""
        return self.items[-1].kind

    @property
    def set_aside(self) -> bool:
        """Whether the server failed on it so often that nothing waits for it."""
        return self.attempts >= SET_ASIDE

    @property
    def key(self) -> str:
        """What identifies its contents within the session."""
        first, last = self.items[0].seq, self.items[-1].seq
        return str(last) if first == last else f"{first}-{last}"


@dataclass(eq=False)
class _Lane:
    waiting: deque[Parcel] = field(default_factory=deque)
    flying: Parcel | None = None

    @property
    def head(self) -> Parcel | None:
        return self.flying or (self.waiting[0] if self.waiting else None)


class Outbox:
    """Records on their way, from being handed out by the source to being settled."""

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane] = {}
        self._opened = False
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def flying(self) -> int:
        """Requests under way."""
        return sum(entry.flying is not None for entry in self._lanes.values())

    def add(self, item: Item) -> None:
        """Take in a record; they come in order."""
        name = lane(item.kind, step_index=item.step_index, name=item.name)
        entry = self._lanes.setdefault(name, _Lane())
        covers = [*item.also, item.seq]
        self._size += len(covers)
        last = entry.waiting[-1] if entry.waiting else None
        merge = MERGE[item.kind]
        if last is not None and merge is Merge.LATEST:
            last.items, last.tried = [item], False
            last.covers += covers
        elif last is not None and merge is Merge.TOGETHER and _has_room(last, item):
            last.items.append(item)
            last.covers += covers
        else:
            entry.waiting.append(
                Parcel(name, [item], covers, covers[0], barrier=self._is_barrier(item))
            )

    def _is_barrier(self, item: Item) -> bool:
        opens = item.kind is Wire.SESSION and not self._opened
        self._opened = self._opened or opens
        return opens or item.kind in BARRIERS

    def ready(self, now: float) -> bool:
        """Whether there is a parcel to take."""
        return self._eligible(now) is not None

    def take(self, now: float) -> Parcel | None:
        """Take the parcel to send next, or None when none may go yet."""
        parcel = self._eligible(now)
        if parcel is not None:
            entry = self._lanes[parcel.lane]
            entry.flying = entry.waiting.popleft()
            parcel.tried = True
        return parcel

    def _eligible(self, now: float) -> Parcel | None:
        older_unsettled = False
        for parcel in self._heads():
            waits = self._lanes[parcel.lane].flying is not None or parcel.not_before > now
            if not waits and not (parcel.barrier and older_unsettled):
                return parcel
            if parcel.barrier:
                return None
            older_unsettled = older_unsettled or not parcel.set_aside
        return None

    def _heads(self) -> list[Parcel]:
        heads = [entry.head for entry in self._lanes.values()]
        return sorted((h for h in heads if h is not None), key=lambda parcel: parcel.order)

    def next_time(self, now: float) -> float:
        """When the next parcel's time will come; infinity when none waits for its time.

        One whose time has come already waits for another to be settled: no time says when.
        """
        waiting = (e.waiting[0] for e in self._lanes.values() if e.waiting and not e.flying)
        to_come = (parcel.not_before for parcel in waiting if parcel.not_before > now)
        return min(to_come, default=float("inf"))

    def failed(self, parcel: Parcel, now: float, wait: float, *, unclear: bool) -> None:
        """Put a parcel back; `unclear` when the failure may be its own, and not the host's."""
        if unclear:
            parcel.attempts += 1
            parcel.not_before = now + wait * (SET_ASIDE_FACTOR if parcel.set_aside else 1.0)
        entry = self._lanes[parcel.lane]
        entry.flying = None
        if entry.waiting and MERGE[parcel.kind] is Merge.LATEST:
            newer = entry.waiting[0]
            newer.covers = parcel.covers + newer.covers
            newer.order, newer.barrier = parcel.order, parcel.barrier
        else:
            entry.waiting.appendleft(parcel)

    def settled(self, parcel: Parcel) -> None:
        """Forget a parcel that was delivered or refused."""
        self._size -= len(parcel.covers)
        entry = self._lanes[parcel.lane]
        entry.flying = None
        if not entry.waiting:
            del self._lanes[parcel.lane]

    def split(self, parcel: Parcel) -> None:
        """Put the records of a refused parcel back one by one, so that only the bad one is lost."""
        entry = self._lanes[parcel.lane]
        entry.flying = None
        for item in reversed(parcel.items):
            covers = [*item.also, item.seq]
            entry.waiting.appendleft(Parcel(parcel.lane, [item], covers, covers[0], tried=True))

    def discard(self, kind: Wire) -> list[int]:
        """Drop every waiting record of a kind; returns what was dropped."""
        dropped: list[int] = []
        for name, entry in list(self._lanes.items()):
            while entry.waiting and entry.waiting[0].kind is kind:
                dropped += entry.waiting.popleft().covers
            if entry.head is None:
                del self._lanes[name]
        self._size -= len(dropped)
        return dropped


def _has_room(parcel: Parcel, item: Item) -> bool:
    size = sum(waiting.size for waiting in parcel.items)
    return (
        not parcel.tried
        and len(parcel.items) < TOGETHER_ITEMS
        and size + item.size <= TOGETHER_BYTES
    )
