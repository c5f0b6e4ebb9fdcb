"""Counting what was lost, by a closed set of reasons; said once when it begins and when it ends."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from enum import StrEnum

from augur_sdk.bundle.faults import Fault

__all__ = ["Losses", "Reason"]

logger: logging.Logger = logging.getLogger("augur_sdk")


class Reason(StrEnum):
    """Why a record was not stored."""

    DISK_FULL = Fault.DISK_FULL.value
    READ_ONLY = Fault.READ_ONLY.value
    FOLDER_GONE = Fault.FOLDER_GONE.value
    IO_ERROR = Fault.IO_ERROR.value
    EXHAUSTED = Fault.EXHAUSTED.value
    UNWRITABLE = Fault.UNWRITABLE.value
    INTERNAL = Fault.INTERNAL.value
    REDACTION = Fault.REDACTION.value
    FORKED = "forked"


class Losses:
    """Dropped records by reason, and whether the disk is failing right now."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._lock = threading.Lock()
        self._dropped: Counter[str] = Counter()
        self._failing: Reason | None = None
        self._warned: set[Reason] = set()

    @property
    def dropped(self) -> dict[str, int]:
        """Records dropped so far, by reason."""
        with self._lock:
            return dict(self._dropped)

    @property
    def failing(self) -> Reason | None:
        """Why the disk takes nothing at the moment, if it does not."""
        return self._failing

    def drop(self, reason: Reason, count: int = 1) -> None:
        """Count lost records; the first of a reason is said in the log."""
        with self._lock:
            self._dropped[reason.value] += count
            new = reason not in self._warned
            self._warned.add(reason)
        if new:
            logger.warning(
                "%s: records are being lost (%s); session.stats counts them", self._where, reason
            )

    def fault(self, reason: Reason) -> None:
        """The disk takes nothing at the moment."""
        if self._failing is None:
            logger.warning(
                "%s: the bundle cannot be written (%s); records are kept in memory and written "
                "once it can, up to a bound",
                self._where,
                reason,
            )
        self._failing = reason

    def healed(self) -> None:
        """The disk takes records again."""
        if self._failing is None:
            return
        self._failing = None
        lost = sum(self.dropped.values())
        self._warned.clear()
        logger.warning("%s: the bundle is written again; %d records were lost", self._where, lost)
