"""What of a journal the server has, and what it has not: the state of delivery, without I/O.

A record that travels is *unsettled* until it ends: delivered, superseded by a newer version of
itself that was delivered, or refused. It waits in a queue in which a later version of one
identity (a step by its index and id, a picture, the session) takes the place of earlier ones, so
that an outage costs a few hundred bytes a record and nothing that is as large as a body.

A step's iterations share its URL. Behind each, the canonical step is offered once more, so that
it is what stands there.

Pictures, events, model calls and reasoning of a step are held back until the step is stored or
announced, or the run ends: it may turn out to be sensitive, and what was sent cannot be taken
back.

`acknowledged` says how this is written down.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import orjson

from augur_sdk.bundle import layout
from augur_sdk.bundle.acknowledged import Acknowledged, Ends, acknowledgement
from augur_sdk.bundle.journal import Line, encode_line
from augur_sdk.bundle.waiting import RETRACTABLE, WIRES, Waiting, is_old_news, name_of
from augur_sdk.entry import Kind
from augur_sdk.streaming.policy import Reason
from augur_sdk.streaming.routes import Wire

__all__ = ["DeliveryLog"]


class DeliveryLog:
    """The state of delivery of one journal to one destination. Thread-safe.

    Args:
        destination: The digest of where the records go.
        acks: The data of the journal's ack lines, in order; those of this destination count.
        at_once: Whether nothing waits for its step.
    """

    def __init__(
        self,
        destination: str,
        acks: Iterable[bytes] = (),
        *,
        at_once: bool = False,
    ) -> None:
        self.destination = destination
        self._lock = threading.Lock()
        self._known = Acknowledged(destination, acks)
        self._at_once = at_once
        self._queue: OrderedDict[object, Waiting] = OrderedDict()
        self._held: dict[int, list[Waiting]] = {}
        self._steps: set[int] = set()
        self._canonical: dict[int, Waiting] = {}
        self._withdrawn: dict[tuple[str, int | None], int] = {}
        self._unsettled: dict[int, bool] = {}  # whether the trace covers it
        self._trace = 0
        self._blocked: dict[int, str] = {}
        self._refused: dict[int, int] = {}
        self._all = Ends()
        self._own = Ends()
        self._from = 1
        self._own_pending = 0
        self._end = 0
        self.last_seq: int = 0
        self.changed: bool = False

    @property
    def pending(self) -> int:
        """How many are not settled; the end of the run included."""
        return len(self._unsettled)

    @property
    def sent(self) -> int:
        """How many the server has, also those that another process sent."""
        return self._all.delivered + self._all.superseded

    @property
    def own_pending(self) -> int:
        """How many of this process's records are not settled."""
        return self._own_pending

    @property
    def held(self) -> int:
        """How many of the pending wait for their step to say whether it is sensitive."""
        with self._lock:
            return sum(map(len, self._held.values()))

    @property
    def refused(self) -> dict[int, int]:
        """How many the server has refused, by status."""
        with self._lock:
            return dict(self._all.refused)

    @property
    def own_ends(self) -> Ends:
        """How the records of this process ended."""
        with self._lock:
            return replace(self._own, refused=self._own.refused.copy())

    @property
    def blocked(self) -> dict[str, int]:
        """How many of the pending wait for something outside to change, by reason."""
        with self._lock:
            return dict(Counter(self._blocked.values()))

    def waits(self, seq: int) -> bool:
        """Whether anything up to `seq` is still to be sent or answered, what is held aside."""
        with self._lock:
            held = {record.seq for records in self._held.values() for record in records}
            return any(open_ <= seq and open_ not in held for open_ in self._unsettled)

    def begin(self) -> None:
        """What is added from here on are the records of this process."""
        self._from, self._own_pending, self._own = self.last_seq + 1, 0, Ends()

    def announce(self, step_index: int) -> None:
        """A step is not sensitive, or nobody minds: hold nothing of it back."""
        with self._lock:
            self._release(step_index)

    def _release(self, step_index: int) -> None:
        self._steps.add(step_index)
        for held in self._held.pop(step_index, ()):
            self._enqueue(held)

    def add(self, line: Line) -> None:
        """Take note of a line that the journal holds."""
        with self._lock:
            if line.kind == Kind.ACK:
                return
            self.last_seq = line.seq
            if line.kind == Kind.WITHHELD:
                self._withhold(line)
            elif line.kind in WIRES and not is_old_news(line):
                self._add(line, WIRES[line.kind])

    def _add(self, line: Line, wire: Wire) -> None:
        record = Waiting(line.seq, wire, line.ref, line.step_index, name_of(wire, line), line.path)
        step = line.step_index
        if self._enter(line.seq, covered=self._is_canonical(record)):
            waits = wire in RETRACTABLE and step is not None and step not in self._steps
            if waits and not self._at_once:
                self._held.setdefault(step or 0, []).append(record)
            else:
                self._enqueue(record)
                self._follow_up(record)
        if wire is Wire.STEP and step is not None:
            self._release(step)
            canonical = self._canonical.setdefault(step, record)
            if canonical.name == record.name:
                # A copy: what is in the queue is given numbers of its own.
                self._canonical[step] = replace(record, also=[])

    def _follow_up(self, record: Waiting) -> None:
        """Offer the canonical step once more behind an iteration."""
        if record.wire is not Wire.STEP or record.step_index is None:
            return
        canonical = self._canonical.get(record.step_index)
        if canonical is None or canonical.name == record.name:
            return
        queued = self._queue.pop(canonical.key, None)
        again = queued or replace(canonical)
        self._queue[again.key] = again
        if again.seq not in self._unsettled:
            self._reopen(again.seq)

    def _reopen(self, seq: int) -> None:
        self._unsettled[seq] = True
        self._refused.pop(seq, None)
        self._all.delivered -= 1
        if self._is_own(seq):
            self._own.delivered -= 1
            self._own_pending += 1

    def _is_canonical(self, record: Waiting) -> bool:
        if record.wire is not Wire.STEP or record.step_index is None:
            return False
        canonical = self._canonical.get(record.step_index)
        return canonical is None or canonical.name == record.name

    def _enter(self, seq: int, *, covered: bool = False) -> bool:
        """Take a record in as unsettled; whether it is to be sent."""
        status = self._known.refusal(seq)
        if status:
            self._refused[seq] = status
            self._count(seq, status)
            return False
        if self._known.delivered(seq):
            self._count(seq)
            return False
        self._unsettled[seq] = covered
        self._own_pending += self._is_own(seq)
        return True

    def _enqueue(self, record: Waiting) -> None:
        earlier = self._queue.get(record.key)
        if earlier is not None:
            record.also = sorted({*earlier.also, earlier.seq} - {record.seq})
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
                self._conclude(Wire.TRACE, layout.TRACE)
                self._put_steps_last()
                self._conclude(Wire.MANIFEST, layout.MANIFEST)

    def close_soon(self) -> None:
        """The trace comes soon, and holds every step: what else there is goes first."""
        with self._lock:
            self._put_steps_last()

    def _put_steps_last(self) -> None:
        for key in [key for key, r in self._queue.items() if r.wire is Wire.STEP]:
            self._queue.move_to_end(key)

    def _conclude(self, wire: Wire, path: str) -> None:
        """The trace goes first, since it covers every step; the manifest last."""
        self.last_seq += 1
        if wire is Wire.TRACE:
            self._trace = self.last_seq
        if self._enter(self.last_seq):
            record = Waiting(self.last_seq, wire, None, path=path)
            self._enqueue(record)
            self._queue.move_to_end(record.key, last=wire is not Wire.TRACE)

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

    def settle(self, seq: int, superseded: Sequence[int] = ()) -> None:
        """The server answered for `seq`; the others are older versions of the same record."""
        with self._lock:
            if self._close(seq):
                self._count(seq)
            for older in superseded:
                if self._close(older):
                    self._count(older, superseded=True)

    def settle_covered(self) -> None:
        """There is no more time: a step that the delivered trace holds is superseded by it."""
        with self._lock:
            if self._trace and self._trace not in self._unsettled:
                for seq in [seq for seq, covered in self._unsettled.items() if covered]:
                    self._close(seq)
                    self._count(seq, superseded=True)

    def _close(self, seq: int) -> bool:
        if seq not in self._unsettled:
            return False
        del self._unsettled[seq]
        self._own_pending -= self._is_own(seq)
        self._blocked.pop(seq, None)
        self.changed = True
        return True

    def _count(self, seq: int, status: int = 0, *, superseded: bool = False) -> None:
        for ends in (self._all, self._own) if self._is_own(seq) else (self._all,):
            if status:
                ends.refused[status] += 1
            elif superseded:
                ends.superseded += 1
            else:
                ends.delivered += 1

    def _drop(self, seq: int) -> None:
        """Forget what was withdrawn: the server is not to have it."""
        self._close(seq)

    def _is_own(self, seq: int) -> bool:
        return self._from <= seq and (not self._end or seq <= self._end)

    def refuse(
        self, record: Waiting | None, seqs: Sequence[int], reason: Reason, status: int
    ) -> None:
        """The server will not take these, for good or until something outside has changed."""
        with self._lock:
            withdrawn = record is not None and self.is_withdrawn(record)
            for seq in seqs:
                if withdrawn:
                    self._drop(seq)
                elif seq in self._unsettled and reason.may_pass_later:
                    self._blocked[seq] = reason.value
                    self.changed = True
                elif self._close(seq):
                    self._refused[seq] = status
                    self._count(seq, status)

    def acknowledgement(self) -> dict[str, Any]:
        """Where delivery stands, for an ack line or the note beside the bundle."""
        with self._lock:
            self.changed = False
            return acknowledgement(self.destination, self.last_seq, self._unsettled, self._refused)

    def ack_line(self) -> bytes:
        """The same as a line of the journal."""
        return encode_line(0, Kind.ACK.value, orjson.dumps(self.acknowledgement()))[0]
