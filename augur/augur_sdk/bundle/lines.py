"""Files of one record a line, grown while the run goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final

import orjson

__all__ = ["REWRITE_LIMIT", "LineFile"]

REWRITE_LIMIT: Final = 64
"""An out-of-order line rewrites a file up to this many lines at once; a longer file waits for
the end of the run, so that the cost of a line stays flat."""


class LineFile:
    """One `.jsonl` or `.log` file: what was written so far, and its running digest.

    Decision events stand sorted by (ts, layer, kind, summary); they mostly arrive so, and are
    then appended. Reasoning and log chunks stand in the order recorded.
    """

    def __init__(self, path: str, render: Callable[[bytes], bytes], *, ordered: bool) -> None:
        self.path = path
        self.written: int = 0
        self.settled: bool = True
        self._render = render
        self._ordered = ordered
        self._last: tuple[str, ...] = ()
        self._digest = hashlib.sha256()

    @property
    def digest(self) -> bytes:
        """The sha256 of the bytes written."""
        return self._digest.digest()

    def addition(self, records: list[bytes]) -> bytes | None:
        """The bytes to append for new records; None when the whole file has to be rewritten."""
        fresh = self._sorted(records)
        if self._ordered and fresh and self._key(fresh[0]) < self._last:
            if self.written + len(fresh) <= REWRITE_LIMIT:
                return None
            self.settled = False
        return b"".join(map(self._render, fresh))

    def appended(self, records: list[bytes], data: bytes) -> None:
        """Take note that `addition` was written."""
        self.written += len(records)
        self._digest.update(data)
        self._remember(records)

    def whole(self, records: list[bytes]) -> bytes:
        """The bytes of the whole file."""
        return b"".join(map(self._render, self._sorted(records)))

    def replaced(self, records: list[bytes], data: bytes) -> None:
        """Take note that `whole` was written."""
        self.written = len(records)
        self.settled = True
        self._digest = hashlib.sha256(data)
        self._last = ()
        self._remember(records)

    def _remember(self, records: list[bytes]) -> None:
        if self._ordered and records:
            self._last = max(self._last, *map(self._key, records))

    def _sorted(self, records: list[bytes]) -> list[bytes]:
        return sorted(records, key=self._key) if self._ordered and records[1:] else records

    @staticmethod
    def _key(record: bytes) -> tuple[str, ...]:
        event: dict[str, Any] = orjson.loads(record)
        return tuple(str(event.get(name, "")) for name in ("ts", "layer", "kind", "summary"))
