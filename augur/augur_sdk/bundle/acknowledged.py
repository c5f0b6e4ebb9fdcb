"""How far delivery has come, as a journal says it.

The state is written as lines of kind `ack`, each of which says it all:

| field | says |
|---|---|
| `to` | which destination it is about |
| `seen` | up to which number it speaks |
| `open` | ranges of numbers up to there that hold what is not delivered |
| `refused` | ranges of what the server has settled by refusing it, by status |
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

__all__ = ["Acknowledged", "Ends", "acknowledgement", "ranges"]

MAX_RANGES: Final = 512
"""An ack line stays a few kilobytes; what does not fit is counted in and sent again, which the
server can tell by its key."""

Range = tuple[int, int]


@dataclass(slots=True)
class Ends:
    """How records ended."""

    delivered: int = 0
    superseded: int = 0
    refused: Counter[int] = field(default_factory=Counter)


def acknowledgement(
    destination: str, last_seq: int, unsettled: Iterable[int], refused: Mapping[int, int]
) -> dict[str, Any]:
    """What an ack line says.

    Args:
        destination: Which destination it is about.
        last_seq: Up to which number it speaks.
        unsettled: Numbers of what has not ended.
        refused: The status with which each refused record was refused.
    """
    by_status: dict[str, list[int]] = {}
    for seq, status in refused.items():
        by_status.setdefault(str(status), []).append(seq)
    return {
        "to": destination,
        "seen": last_seq,
        "open": ranges(sorted(unsettled), MAX_RANGES, widen=True),
        "refused": {
            status: ranges(sorted(seqs), MAX_RANGES, widen=False)
            for status, seqs in by_status.items()
        },
    }


def ranges(seqs: Iterable[int], limit: int, *, widen: bool) -> list[Range]:
    """Rising numbers as ranges, at most `limit`; what does not fit widens the last, or goes."""
    found: list[Range] = []
    for seq in seqs:
        if found and (found[-1][1] == seq - 1 or (widen and len(found) == limit)):
            found[-1] = (found[-1][0], seq)
        elif len(found) < limit:
            found.append((seq, seq))
    return found


@dataclass
class Acknowledged:
    """What the last ack line of a destination says; nothing readable says nothing."""

    destination: str
    acks: Iterable[bytes]

    def __post_init__(self) -> None:
        said = _last(self.destination, self.acks)
        self._seen = int(said.get("seen", 0))
        self._open: list[Range] = [(int(a), int(b)) for a, b in said.get("open", ())]
        self._refused: dict[int, list[Range]] = {
            int(status): [(int(a), int(b)) for a, b in found]
            for status, found in said.get("refused", {}).items()
            if status.isdecimal()
        }

    def delivered(self, seq: int) -> bool:
        """Whether the server has it."""
        return seq <= self._seen and not _within(seq, self._open)

    def refusal(self, seq: int) -> int:
        """The status with which the server refused it; 0 where it did not."""
        return next((s for s, found in self._refused.items() if _within(seq, found)), 0)


def _last(destination: str, acks: Iterable[bytes]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for ack in acks:
        found = orjson.loads(ack)
        if isinstance(found, dict) and found.get("to") == destination:
            said = found
    return said


def _within(seq: int, found: list[Range]) -> bool:
    at = bisect_right(found, (seq, float("inf")))
    return at > 0 and found[at - 1][1] >= seq
