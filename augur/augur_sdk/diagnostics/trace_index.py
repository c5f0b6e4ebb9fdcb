"""Where in a `trace.json` each step stands, found without holding the file."""

from __future__ import annotations

from array import array
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from augur_sdk.bundle.trace_scan import TraceSyntaxError, trace_parts

__all__ = ["Span", "TraceIndex", "index_trace"]

Span = tuple[int, int]
"""Offset and length in bytes."""

_RECORD: Final = (b"{", b"[")
"""How a record begins; what is no record is passed over."""


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
    index = TraceIndex()
    with path.open("rb") as trace, suppress(TraceSyntaxError):
        for part in trace_parts(trace):
            if not part.raw.startswith(_RECORD):
                continue
            if part.position is not None:
                index.offsets.append(part.start)
                index.lengths.append(len(part.raw))
            elif part.key == "session":
                index.session = (part.start, len(part.raw))
    return index
