"""Where in a `trace.json` each step stands, found without holding the file.

Works for every JSON formatting: strings and brackets are all that decides where a record ends.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

__all__ = ["Span", "TraceIndex", "index_trace"]

Span = tuple[int, int]
"""Offset and length in bytes."""

_CHUNK: Final = 1 << 20
_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|["\[\]{}]', re.DOTALL)
_QUOTE, _OPEN, _CLOSE = b'"', b"[{", b"]}"


@dataclass
class TraceIndex:
    """The byte spans of a trace's session record and of each of its steps, in file order."""

    session: Span | None = None
    offsets: array[int] = field(default_factory=lambda: array("Q"))
    lengths: array[int] = field(default_factory=lambda: array("Q"))


def index_trace(path: Path) -> TraceIndex:
    """Read through a trace once, in bounded memory.

    A damaged file gives the records that stand whole before the damage.

    Raises:
        OSError: the file cannot be read.
    """
    scanner = _Scanner()
    with path.open("rb") as file:
        scanner.scan(file)
    return scanner.index


class _Scanner:
    def __init__(self) -> None:
        self.index = TraceIndex()
        self._depth = 0
        self._key = b""  # the last string at depth 1: the key of what opens next
        self._start = 0

    def scan(self, file: BinaryIO) -> None:
        base, rest = 0, b""
        # reading as much again as is left over keeps a huge string linear
        while chunk := file.read(max(_CHUNK, len(rest))):
            buffer = rest + chunk
            used = self._tokens(buffer, base)
            base, rest = base + used, buffer[used:]

    def _tokens(self, buffer: bytes, base: int) -> int:
        """Take in each whole token; returns how far the buffer is used up."""
        for match in _TOKEN.finditer(buffer):
            start, end = match.span()
            first = buffer[start : start + 1]
            if first == _QUOTE:
                if end - start == 1:
                    return start  # the string goes on in the next chunk
                if self._depth == 1:
                    self._key = buffer[start + 1 : end - 1]
            elif first in _OPEN:
                self._opened(base + start)
            else:
                self._closed(base + end)
        return len(buffer)

    def _opened(self, at: int) -> None:
        if (self._depth, self._key) in {(1, b"session"), (2, b"steps")}:
            self._start = at
        self._depth += 1

    def _closed(self, at: int) -> None:
        self._depth -= 1
        if (self._depth, self._key) == (2, b"steps"):
            self.index.offsets.append(self._start)
            self.index.lengths.append(at - self._start)
        elif (self._depth, self._key) == (1, b"session"):
            self.index.session = (self._start, at - self._start)
