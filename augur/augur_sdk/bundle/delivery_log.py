"""What of a journal the server has, and what it has not: the state of delivery, without I/O.

A record that travels is *unsettled* until it is acknowledged. It waits in a queue in which later
updates of one key (a step, a picture, the session) take the place of earlier ones, so that an
outage costs a few hundred bytes a record and nothing that is as large as a body.

What comes for a step before the step itself is held back until the step is stored, or the run
ends: the step may turn out to be sensitive, and what was sent cannot be taken back.

The state is written as lines of kind `ack`, each of which says it all:

| field | says |
|---|---|
| `to` | which destination it is about |
| `seen` | up to which number it speaks |
| `open` | ranges of numbers up to there that hold what is not delivered |
| `refused` | ranges of these that the server will not take, by reason |
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from augur_sdk.bundle import layout
from augur_sdk.bundle.journal import Line, Ref, encode_line
from augur_sdk.entry import Kind
from augur_sdk.streaming.policy import Reason
from augur_sdk.streaming.routes import MERGE, Merge, Wire

__all__ = ["Acknowledged", "DeliveryLog", "Waiting", "ranges"]

MAX_RANGES: Final = 512
"""An ack line stays a few kilobytes; what does not fit is counted in and sent again, which the
server can tell by its key."""

_WIRES: Final = {
    kind.value: Wire(kind.value)
    for kind in (
        Kind.SESSION,
        Kind.COSTS,
        Kind.STEP,
        Kind.EVENT,
        Kind.SCREENSHOT,
        Kind.MODELIO,
        Kind.LOG,
        Kind.SIDE_EFFECT,
        Kind.REASONING,
        Kind.OUTCOME,
        Kind.EVAL_CANDIDATE,
        Kind.JUDGE_DECISION,
    )
}
"""The kinds that travel; of the others the bundle is the only place."""

_RETRACTABLE: Final = frozenset(
    {Wire.SCREENSHOT, Wire.EVENT, Wire.LOG, Wire.MODELIO, Wire.REASONING, Wire.SIDE_EFFECT}
)
"""What a step that turns out to be sensitive takes back, and what therefore waits for it."""

Range = tuple[int, int]


@dataclass(slots=True)
class Waiting:
    """One record on its way; `also` numbers the earlier ones that it replaces."""

    seq: int
    wire: Wire
    ref: Ref | None
    step_index: int | None = None
    name: str = ""
    path: str = ""
    also: list[int] = field(default_factory=list)

    @property
    def key(self) -> object:
        """What it replaces others by; its own number where nothing does."""
        if MERGE[self.wire] is Merge.LATEST:
            return (self.wire, self.step_index, self.name)
        return self.seq

    @property
    def place(self) -> tuple[str, int | None]:
        """By what a withdrawal names it."""
        if self.wire in {Wire.MODELIO, Wire.SIDE_EFFECT}:
            return (self.path[: self.path.find("-") + 1], None)
        return (self.path, self.step_index if self.path == layout.REASONING else None)


class DeliveryLog:
    """The state of delivery of one journal to one destination. Thread-safe.

    Args:
        destination: The digest of where the records go.
        acks: The data of the journal's ack lines, in order; those of this destination count.
        retry_refused: Whether to offer again what the server has refused for good.
    """

    def __init__(
        self, destination: str, acks: Iterable[bytes] = (), *, retry_refused: bool = False
    ) -> None:
        self.destination = destination
        self._lock = threading.Lock()
        self._known = Acknowledged(destination, acks)
        self._retry_refused = retry_refused
        self._queue: OrderedDict[object, Waiting] = OrderedDict()
        self._held: dict[int, list[Waiting]] = {}
        self._steps: set[int] = set()
        self._withdrawn: dict[tuple[str, int | None], int] = {}
        self._unsettled: dict[int, None] = {}
        self._refused: dict[int, str] = {}
        self._reasons: Counter[str] = Counter()
        self._from = 1
        self._own = 0
        self._end = 0
        self._travelling = 0
        self.last_seq: int = 0
        self.changed: bool = False

    @property
    def pending(self) -> int:
        """How many are not delivered; refused ones, and the end of the run, included."""
        return len(self._unsettled)

    @property
    def sent(self) -> int:
        """How many the server has, also those that another process sent."""
        return self._travelling - len(self._unsettled)

    @property
    def own_pending(self) -> int:
        """The same, of the records of this process."""
        return self._own

    @property
    def refused(self) -> dict[str, int]:
        """How many of the pending the server will not take, by reason."""
        with self._lock:
            return {reason: count for reason, count in self._reasons.items() if count > 0}

    @property
    def sendable(self) -> int:
        """How many of the pending it makes sense to offer."""
        with self._lock:
            return len(self._unsettled) - sum(map(_is_final, self._refused.values()))

    def begin(self) -> None:
        """What is added from here on are the records of this process."""
        self._from, self._own = self.last_seq + 1, 0

    def add(self, line: Line) -> None:
        """Take note of a line that the journal holds."""
        with self._lock:
            if line.kind == Kind.ACK:
                return
            self.last_seq = line.seq
            if line.kind == Kind.WITHHELD:
                self._withhold(line)
            elif line.kind in _WIRES and not _is_old_news(line):
                self._add(line, _WIRES[line.kind])

    def _add(self, line: Line, wire: Wire) -> None:
        record = Waiting(line.seq, wire, line.ref, line.step_index, _name(wire, line), line.path)
        if self._enter(line.seq):
            step = line.step_index
            if wire in _RETRACTABLE and step is not None and step not in self._steps:
                self._held.setdefault(step, []).append(record)
            else:
                self._enqueue(record)
        if wire is Wire.STEP and line.step_index is not None:
            self._steps.add(line.step_index)
            for held in self._held.pop(line.step_index, ()):
                self._enqueue(held)

    def _enter(self, seq: int) -> bool:
        """Take a record in as unsettled; whether it is to be sent."""
        self._travelling += 1
        if self._known.delivered(seq):
            return False
        self._unsettled[seq] = None
        self._own += self._from <= seq
        reason = self._known.refusal(seq)
        if reason and not self._retry_refused:
            self._refuse(seq, reason)
            return not _is_final(reason)
        return True

    def _enqueue(self, record: Waiting) -> None:
        earlier = self._queue.get(record.key)
        if earlier is not None:
            record.also = [*earlier.also, earlier.seq]
        self._queue[record.key] = record

    def _withhold(self, line: Line) -> None:
        if not line.path:
            return
        place = (line.path, line.step_index if line.path == layout.REASONING else None)
        self._withdrawn[place] = line.seq
        if line.step_index in self._held:
            held = self._held[line.step_index]
            for record in held:
                if record.place == place:
                    self._drop(record.seq)
            self._held[line.step_index] = [record for record in held if record.place != place]

    def is_withdrawn(self, record: Waiting) -> bool:
        """Whether a record was taken back after it had been stored."""
        return self._withdrawn.get(record.place, 0) > record.seq

    def end(self, *, bundle: bool) -> None:
        """There will be no more records: hold nothing back.

        Args:
            bundle: Whether the bundle is finished, so that its trace and manifest go last.
        """
        with self._lock:
            held, self._held = self._held, {}
            for records in held.values():
                for record in records:
                    self._enqueue(record)
            if bundle and not self._end:
                self._end = self.last_seq
                for wire, path in ((Wire.TRACE, layout.TRACE), (Wire.MANIFEST, layout.MANIFEST)):
                    self.last_seq += 1
                    self._travelling += 1
                    if self._known.delivered(self.last_seq):
                        continue
                    self._unsettled[self.last_seq] = None
                    self._enqueue(Waiting(self.last_seq, wire, None, path=path))

    def take(self, limit: int) -> list[Waiting]:
        """The next records to send, without those that were withdrawn."""
        taken: list[Waiting] = []
        with self._lock:
            while self._queue and len(taken) < limit:
                _, record = self._queue.popitem(last=False)
                if self.is_withdrawn(record):
                    for seq in (*record.also, record.seq):
                        self._drop(seq)
                else:
                    taken.append(record)
        return taken

    def settle(self, seqs: Sequence[int]) -> None:
        """These are delivered, or were replaced by one that is."""
        with self._lock:
            for seq in seqs:
                self._settle(seq)

    def _settle(self, seq: int) -> None:
        if seq not in self._unsettled:
            return
        del self._unsettled[seq]
        self._own -= self._is_own(seq)
        self._reasons[self._refused.pop(seq, "")] -= 1
        self.changed = True

    def _drop(self, seq: int) -> None:
        """Forget what was withdrawn: the server is not to have it."""
        self._travelling -= seq in self._unsettled
        self._settle(seq)

    def _is_own(self, seq: int) -> bool:
        return self._from <= seq and (not self._end or seq <= self._end)

    def refuse(self, record: Waiting | None, seqs: Sequence[int], reason: Reason) -> None:
        """The server will not take these; one that was withdrawn meanwhile is settled."""
        with self._lock:
            withdrawn = record is not None and self.is_withdrawn(record)
            for seq in seqs:
                if withdrawn:
                    self._drop(seq)
                elif seq in self._unsettled:
                    self._refuse(seq, reason.value)

    def _refuse(self, seq: int, reason: str) -> None:
        self._reasons[self._refused.pop(seq, "")] -= 1
        self._refused[seq] = reason
        self._reasons[reason] += 1
        self.changed = True

    def acknowledgement(self) -> dict[str, Any]:
        """Where delivery stands, for an ack line or the note beside the bundle."""
        with self._lock:
            self.changed = False
            by_reason: dict[str, list[int]] = {}
            for seq, reason in self._refused.items():
                by_reason.setdefault(reason, []).append(seq)
            return {
                "to": self.destination,
                "seen": self.last_seq,
                "open": ranges(sorted(self._unsettled), MAX_RANGES, widen=True),
                "refused": {
                    reason: ranges(sorted(seqs), MAX_RANGES, widen=False)
                    for reason, seqs in by_reason.items()
                },
            }

    def ack_line(self) -> bytes:
        """The same as a line of the journal."""
        return encode_line(0, Kind.ACK.value, orjson.dumps(self.acknowledgement()))[0]


def _name(wire: Wire, line: Line) -> str:
    match wire:
        case Wire.SCREENSHOT | Wire.SIDE_EFFECT:
            return line.item
        case Wire.MODELIO:
            return line.path
        case Wire.LOG:
            return line.path.removeprefix(layout.PATHS["logs"]).removesuffix(".log")
    return ""


def _is_old_news(line: Line) -> bool:
    """A side effect whose state the server knows; only the bundle gets its step's id."""
    return line.kind == Kind.SIDE_EFFECT and not line.item


def _is_final(reason: str) -> bool:
    try:
        return not Reason(reason).may_pass_later
    except ValueError:
        return False


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
        self._refused: dict[str, list[Range]] = {
            str(reason): [(int(a), int(b)) for a, b in found]
            for reason, found in said.get("refused", {}).items()
        }

    def delivered(self, seq: int) -> bool:
        """Whether the server has it."""
        return seq <= self._seen and not _within(seq, self._open)

    def refusal(self, seq: int) -> str:
        """Why the server will not take it; empty where it did not say."""
        return next((r for r, found in self._refused.items() if _within(seq, found)), "")


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
