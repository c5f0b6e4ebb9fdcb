"""Calls that were refused: counted by method and reason, and said once each."""

from __future__ import annotations

import logging
import threading
from collections import Counter

from augur_sdk.errors import RecordError, SessionStateError

__all__ = ["Refusals"]

logger: logging.Logger = logging.getLogger("augur_sdk")


class Refusals:
    """The exception reaches the caller; this remembers it for those who swallow exceptions."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._lock = threading.Lock()
        self._counts: dict[str, Counter[str]] = {}

    def add(self, method: str, error: RecordError | SessionStateError) -> None:
        """Count a refused call; the first of a method and reason is said."""
        with self._lock:
            counts = self._counts.setdefault(method, Counter())
            counts[error.reason] += 1
            first = counts[error.reason] == 1
        if first:
            logger.warning(
                "session %s: %s() refused a call: %s; session.stats counts such calls",
                self._where,
                method,
                error,
            )

    def counts(self) -> dict[str, dict[str, int]]:
        """How many calls were refused, by method and reason."""
        with self._lock:
            return {method: dict(counts) for method, counts in self._counts.items()}
