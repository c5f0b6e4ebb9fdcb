"""Which request goes next; pure.

Records wait in lanes (`routes.lane`). From each lane one request is under way at a time, so
answers that arrive late or out of order cannot make a record go back. Across lanes the oldest
record goes first. A record that a newer one replaces gives it its place in the order, except for
steps: what shares a step's URL goes in the order of its latest versions, so that the canonical
step, which the source offers last, is what stands there.

The trace goes before all that waits, since it covers every step; no step may be under way then,
or it could undo what the trace says.

A barrier goes when everything older is settled, and holds back everything younger until it is
settled itself. Records that the server keeps failing on do not count: the run's end must not
wait for the one record that breaks the server.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from augur_sdk.streaming.delivery import Item
from augur_sdk.streaming.envelope import AROUND_ITEM, MOST_ITEMS
from augur_sdk.streaming.routes import BARRIERS, MERGE, Merge, Wire, lane

__all__ = ["Outbox", "Parcel"]

SET_ASIDE: Final = 3
"""Failures after which a record is taken for what breaks the server: others go before it."""

_ALONE: Final = frozenset({Wire.SESSION, Wire.TRACE, Wire.MANIFEST})

SET_ASIDE_FACTOR: Final = 1.5
"""How much longer than the host's hold such a record waits, so that the probe is another one."""


@dataclass(eq=False)
class Parcel:
    """The record that one request carries, and the older versions that its outcome settles."""

    lane: str
    item: Item
    older: list[int]
    order: int
    barrier: bool = False
    attempts: int = 0
    not_before: float = float("-inf")

    @property
    def kind(self) -> Wire:
        """What kind of record it carries."""
        return self.item.kind

    @property
    def covers(self) -> list[int]:
        """The numbers of the records that its outcome settles."""
        return [*self.older, self.item.seq]

    @property
    def identity(self) -> tuple[Wire, str]:
        """What tells it apart from others of its lane."""
        return (self.item.kind, self.item.name)

    @property
    def set_aside(self) -> bool:
        """Whether the server failed on it so often that nothing waits for it."""
        return self.attempts >= SET_ASIDE


@dataclass(eq=False)
class _Lane:
    waiting: deque[Parcel] = field(default_factory=deque)
    flying: list[Parcel] = field(default_factory=list)

    @property
    def head(self) -> Parcel | None:
        return next(chain(self.flying, self.waiting), None)


class Outbox:
    """Records on their way, from being handed out by the source to being settled.

    Attributes:
        closing: The trace comes soon, and holds every step: what else there is goes first.
        last_call: Time runs out and the trace is delivered: the steps, which it holds, go last of
            all and hold nothing up.
    """

    def __init__(self) -> None:
        self._lanes: dict[str, _Lane] = {}
        self.closing: bool = False
        self.last_call: bool = False
        self._opened = False
        self._size = 0
        self._sorted: list[Parcel] | None = None
        """The lanes' heads, in the order in which they go; None when it has to be made anew."""
        self._sorted_for = (False, False)

    def __len__(self) -> int:
        """Requests that are still to be settled."""
        return self._size

    @property
    def flying(self) -> int:
        """Requests under way."""
        return sum(len(entry.flying) for entry in self._lanes.values())

    def add(self, item: Item) -> None:
        """Take in a record; they come in order."""
        name = lane(item.kind, step_index=item.step_index, name=item.name)
        entry = self._lanes.setdefault(name, _Lane())
        parcel = Parcel(
            name, item, list(item.also), min((*item.also, item.seq)), self._is_barrier(item)
        )
        earlier = next((p for p in entry.waiting if _replaces(parcel, p)), None)
        if earlier is None:
            self._size += 1
        else:
            _take_over(parcel, earlier)
            entry.waiting.remove(earlier)
            if not entry.waiting:
                parcel.order = earlier.order
            self._sorted = None
        entry.waiting.append(parcel)
        if entry.head is parcel and self._sorted is not None:
            insort(self._sorted, parcel, key=self._place)

    def _is_barrier(self, item: Item) -> bool:
        opens = item.kind in {Wire.SESSION, Wire.TRACE} and not self._opened
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
            entry.flying.append(entry.waiting.popleft())
        return parcel

    def take_along(self, first: Parcel, now: float, room: int) -> list[Parcel]:
        """Take what may go in the same request as a parcel that was taken.

        Args:
            first: That parcel.
            now: The time.
            room: Bytes in the request; 0 for a request of its own.
        """
        taken: list[Parcel] = []
        last: Parcel | None = first if _has_company(first) else None
        room -= first.item.size + AROUND_ITEM
        while last is not None and len(taken) + 1 < MOST_ITEMS:
            last = self._follower(last, now) or self._eligible(now)
            if last is None or not _has_company(last):
                break
            room -= last.item.size + AROUND_ITEM
            if room < 0:
                break
            entry = self._lanes[last.lane]
            entry.flying.append(entry.waiting.popleft())
            taken.append(last)
        return taken

    def _follower(self, parcel: Parcel, now: float) -> Parcel | None:
        """What waits behind it in its lane: in one request they stay in order."""
        waiting = self._lanes[parcel.lane].waiting
        return waiting[0] if waiting and waiting[0].not_before <= now else None

    def _eligible(self, now: float) -> Parcel | None:
        older_unsettled = False
        for parcel in self._heads():
            waits = bool(self._lanes[parcel.lane].flying) or parcel.not_before > now
            if not waits and self._may_go(parcel, older_unsettled=older_unsettled):
                return parcel
            if parcel.barrier:
                return None
            left_behind = self.last_call and parcel.kind is Wire.STEP
            older_unsettled = older_unsettled or not (parcel.set_aside or left_behind)
        return None

    def _may_go(self, parcel: Parcel, *, older_unsettled: bool) -> bool:
        if parcel.barrier:
            return not older_unsettled
        return parcel.kind is not Wire.TRACE or not self._step_flying()

    def _step_flying(self) -> bool:
        flying = chain.from_iterable(entry.flying for entry in self._lanes.values())
        return any(parcel.kind is Wire.STEP for parcel in flying)

    def _heads(self) -> list[Parcel]:
        found, urgency = self._sorted, (self.closing, self.last_call)
        if found is None or self._sorted_for != urgency:
            self._sorted_for = urgency
            heads = [entry.head for entry in self._lanes.values()]
            found = self._sorted = sorted((h for h in heads if h is not None), key=self._place)
        trace = next((parcel for parcel in found if parcel.kind is Wire.TRACE), None)
        if trace is None or trace.set_aside:
            return found
        # No step while the trace waits for those under way.
        return [parcel for parcel in found if parcel.kind is not Wire.STEP or self._flies(parcel)]

    def _place(self, parcel: Parcel) -> tuple[int, int]:
        match parcel.kind:
            case Wire.TRACE if not parcel.set_aside:
                rank = 0
            case Wire.STEP if self.closing or self.last_call:
                rank = 2
            case Wire.MANIFEST if not self.last_call:
                rank = 3
            case _:
                rank = 1
        return (rank, parcel.order)

    def _flies(self, parcel: Parcel) -> bool:
        return parcel in self._lanes[parcel.lane].flying

    def next_time(self, now: float) -> float:
        """When the next parcel's time will come; infinity when none waits for its time.

        One whose time has come already waits for another to be settled: no time says when.
        """
        waiting = (e.waiting[0] for e in self._lanes.values() if e.waiting and not e.flying)
        to_come = (parcel.not_before for parcel in waiting if parcel.not_before > now)
        return min(to_come, default=float("inf"))

    def failed(
        self, parcel: Parcel, now: float, wait: float, *, unclear: bool, asked: bool = False
    ) -> None:
        """Put a parcel back.

        Args:
            parcel: What failed.
            now: The time.
            wait: Seconds until the next attempt.
            unclear: Whether the failure may be its own, and not the host's.
            asked: Whether the server asked for this wait.
        """
        self._sorted = None
        if asked:
            parcel.not_before = now + wait
        if unclear:
            parcel.attempts += 1
            parcel.not_before = now + wait * (SET_ASIDE_FACTOR if parcel.set_aside else 1.0)
        entry = self._lanes[parcel.lane]
        entry.flying.remove(parcel)
        newer = next((p for p in entry.waiting if _replaces(p, parcel)), None)
        if newer is None:
            entry.waiting.appendleft(parcel)
            return
        self._size -= 1
        _take_over(newer, parcel)
        newer.not_before = parcel.not_before if asked else newer.not_before
        if newer is entry.waiting[0]:
            newer.order = parcel.order

    def settled(self, parcel: Parcel) -> None:
        """Forget a parcel that was delivered or refused."""
        self._size -= 1
        entry = self._lanes[parcel.lane]
        was_head = entry.head is parcel
        entry.flying.remove(parcel)
        head = entry.head
        if was_head and self._sorted is not None:
            self._sorted.remove(parcel)
            if head is not None:
                insort(self._sorted, head, key=self._place)
        if head is None:
            del self._lanes[parcel.lane]

    def discard(self, kind: Wire) -> list[int]:
        """Drop every waiting record of a kind; returns what was dropped."""
        self._sorted = None
        dropped: list[int] = []
        for name, entry in list(self._lanes.items()):
            while entry.waiting and entry.waiting[0].kind is kind:
                dropped += entry.waiting.popleft().covers
                self._size -= 1
            if entry.head is None:
                del self._lanes[name]
        return dropped


def _has_company(parcel: Parcel) -> bool:
    """Whether a record may share a request: what opens and ends a run goes alone."""
    return not (parcel.barrier or parcel.set_aside) and parcel.kind not in _ALONE


def _replaces(newer: Parcel, older: Parcel) -> bool:
    if MERGE[newer.kind] is not Merge.LATEST:
        return False
    ends = newer.kind is Wire.TRACE and older.kind is Wire.SESSION
    return ends or newer.identity == older.identity


def _take_over(newer: Parcel, older: Parcel) -> None:
    """The trace says what the session record said, and introduces the run where that did not."""
    newer.older = sorted({*older.covers, *newer.older} - {newer.item.seq})
    newer.barrier = newer.barrier or older.barrier
