"""What is still to be uploaded, in which order, and what went wrong: pure state, no I/O.

    marked ──> pending ──take──> in flight ──done──> uploaded
                  ^                  │ failed, cancelled
                  └──────────────────┤
               refused <─────────────┘ (the store will never take it; marking it again retries)

The last file (the manifest) is handed out only when nothing else is pending, in flight or refused:
its presence in the store means that the bundle there is complete.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Final

from augur_sdk.storage.failures import Reason

__all__ = ["Pace", "UploadQueue", "UploadState", "next_streak"]

MAX_PENDING: Final = 100_000
"""Paths remembered one by one; beyond that the folder is looked through again instead."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait after failures in a row: doubled each time, jittered down to a half.

    Attributes:
        first: seconds after the first failure.
        ceiling: the longest wait, in seconds.
    """

    first: float = 0.5
    ceiling: float = 30.0

    def delay(self, streak: int, random: float) -> float:
        """Seconds to wait after `streak` failed rounds, for a random number in 0..1."""
        longest = min(self.ceiling, self.first * 2.0 ** min(streak - 1, 30))
        return longest * (1 + random) / 2


def next_streak(streak: int, succeeded: int, failed: int) -> int:
    """How many rounds in a row have failed now. A round that half succeeded counts as the first."""
    if not failed:
        return 0
    return 1 if succeeded else streak + 1


@dataclass(frozen=True)
class UploadState:
    """Where an upload stands.

    Attributes:
        store: the store's root URI.
        uploaded: what is in the store, each with the stamp of the local file that it is a copy of.
        pending: what is not, oldest first.
        failed: how many of those the store last failed on, by reason.
        complete: everything is there, the manifest too.
    """

    store: str
    uploaded: Mapping[str, str] = field(default_factory=dict)
    pending: tuple[str, ...] = ()
    failed: Mapping[str, int] = field(default_factory=dict)
    complete: bool = False


class UploadQueue:
    """Paths on their way to a store. Coalesces, keeps order, is safe in any thread.

    Args:
        last: the file that goes last.
        uploaded: what an earlier upload got there.
        limit: how many pending paths are remembered one by one.
    """

    def __init__(
        self, last: str, uploaded: Mapping[str, str] | None = None, limit: int = MAX_PENDING
    ) -> None:
        self._last, self._limit = last, limit
        self._lock = threading.Lock()
        self._pending: OrderedDict[str, None] = OrderedDict()
        self._in_flight: set[str] = set()
        self._uploaded = dict(uploaded or {})
        self._reasons: dict[str, Reason] = {}
        self._refused: set[str] = set()
        self._overflowed = False
        self._idle = False

    def mark(self, relpath: str) -> bool:
        """Note that a file is new or has changed; whether somebody waits for that."""
        with self._lock:
            self._refused.discard(relpath)
            if len(self._pending) < self._limit or relpath == self._last:
                self._pending[relpath] = None
            elif relpath not in self._pending:
                self._overflowed = True
            idle, self._idle = self._idle, False
            return idle

    def take(self, at_most: int) -> list[str]:
        """The next paths to upload, now in flight. When there is none, `mark` will say so."""
        with self._lock:
            taken = self._next(at_most)
            for relpath in taken:
                del self._pending[relpath]
            self._in_flight.update(taken)
            self._idle = not taken
            return taken

    def done(self, relpath: str, stamp: str) -> None:
        """It is in the store, as it was when it bore this stamp."""
        with self._lock:
            self._in_flight.discard(relpath)
            self._reasons.pop(relpath, None)
            self._uploaded[relpath] = stamp

    def failed(self, relpath: str, reason: Reason) -> None:
        """It is not in the store. Comes first again, unless the store will never take it."""
        with self._lock:
            self._in_flight.discard(relpath)
            self._reasons[relpath] = reason
            if reason == "refused":
                self._refused.add(relpath)
            else:
                self._put_back(relpath)

    def released(self, relpath: str) -> None:
        """Its upload was broken off, if it still was under way."""
        with self._lock:
            if relpath in self._in_flight:
                self._in_flight.discard(relpath)
                self._put_back(relpath)

    def vanished(self, relpath: str) -> None:
        """There is no such local file any more."""
        with self._lock:
            self._in_flight.discard(relpath)
            self._reasons.pop(relpath, None)
            self._uploaded.pop(relpath, None)

    def is_current(self, relpath: str, stamp: str) -> bool:
        """Whether the store has the file that bears this stamp."""
        with self._lock:
            return self._uploaded.get(relpath) == stamp

    def uploaded_besides(self, here: Container[str]) -> list[str]:
        """What is in the store and not here any more."""
        with self._lock:
            return [relpath for relpath in self._uploaded if relpath not in here]

    def note_overflow(self) -> None:
        """There are paths to upload that are not remembered."""
        with self._lock:
            self._overflowed = True

    def take_overflow(self) -> bool:
        """Whether paths were marked that are not remembered; asking clears it."""
        with self._lock:
            overflowed, self._overflowed = self._overflowed, False
            return overflowed

    def state(self, store: str) -> UploadState:
        """A snapshot."""
        with self._lock:
            missing = [*self._in_flight, *self._pending, *self._refused]
            pending = tuple(dict.fromkeys(missing))
            reasons = Counter[str](self._reasons[p] for p in pending if p in self._reasons)
            return UploadState(
                store=store,
                uploaded=dict(self._uploaded),
                pending=pending,
                failed=reasons,
                complete=not pending and not self._overflowed and self._last in self._uploaded,
            )

    def _next(self, at_most: int) -> list[str]:
        found: list[str] = []
        for relpath in self._pending:
            if len(found) == at_most:
                break
            if relpath != self._last and relpath not in self._in_flight:
                found.append(relpath)
        if not found and self._last in self._pending and not self._others():
            found.append(self._last)
        return found

    def _others(self) -> bool:
        alone = len(self._pending) == 1
        return not alone or bool(self._in_flight) or bool(self._refused) or self._overflowed

    def _put_back(self, relpath: str) -> None:
        self._pending[relpath] = None
        self._pending.move_to_end(relpath, last=False)
