"""What the Recorder remembers of the steps: little of each, the whole record of the recent ones."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Final

from augur_sdk.capture import CaptureMode

__all__ = ["ColdStepError", "Slot", "StepTable"]

HOT_STEPS: Final = 512
"""Steps kept whole: patches mostly hit recent ones, and a cold one costs a read from disk."""

HOT_BYTES: Final = 4 * 1024 * 1024
"""The same bound in bytes, for runs with large steps."""


class ColdStepError(Exception):
    """A patch wants a step whose record left memory; raised before anything was changed.

    Whoever called reads the record back from the journal, hands it over with the number `seq`
    that the step has now, and repeats the call.
    """

    def __init__(self, step_index: int, seq: int) -> None:
        self.step_index = step_index
        self.seq = seq
        super().__init__(step_index)


_NOTHING: Final[frozenset[str]] = frozenset()
"""Shared, because an empty one would weigh as much as the rest of a slot."""


class Slot:
    """One step index: the canonical step's id, its iterations' ids, and what goes with it.

    `patched` names the fields that were patched in, `seen` says which kinds of record came for
    the step (flags of `bounded`), `sensitive` and `ceiling` what may be kept of it.
    """

    __slots__ = ("ceiling", "iteration_ids", "patched", "seen", "sensitive", "seq", "step_id")

    def __init__(self, step_id: str) -> None:
        self.step_id: str = step_id
        self.seq: int = 0
        self.seen: int = 0
        self.sensitive: bool = False
        self.ceiling: CaptureMode | None = None
        self.iteration_ids: list[str] | None = None
        self.patched: frozenset[str] = _NOTHING

    @property
    def iterations(self) -> int:
        """Steps at this index, the canonical one included."""
        return 1 + len(self.iteration_ids or ())

    def add_iteration(self, step_id: str) -> None:
        """Remember one more step id at this index."""
        self.iteration_ids = [*(self.iteration_ids or ()), step_id]


class StepTable:
    """Every step index of the run, and the records of those that are hot.

    A record is only let go once the journal holds it (`stored_seq` has reached its number), so
    that it can always be read back.
    """

    def __init__(self, stored_seq: Callable[[], int]) -> None:
        self._stored_seq = stored_seq
        self._slots: dict[int, Slot] = {}
        self._index_of: dict[str, int] = {}
        self._hot: OrderedDict[int, bytes] = OrderedDict()
        self._hot_bytes = 0
        self._next_index = 0

    def __contains__(self, step_index: int) -> bool:
        return step_index in self._slots

    def __len__(self) -> int:
        return len(self._slots)

    def __iter__(self) -> Iterator[int]:
        return iter(self._slots)

    def slot(self, step_index: int) -> Slot | None:
        """The slot at an index, if a step stands there."""
        return self._slots.get(step_index)

    def index_of(self, step_id: str) -> int | None:
        """The index at which a step id was first recorded."""
        return self._index_of.get(step_id)

    def reserve(self) -> int:
        """Take the next free index, for a step that will be recorded later."""
        index = self._next_index
        self._next_index += 1
        return index

    def add(self, step_index: int, step_id: str) -> Slot:
        """Open a slot for the canonical step at an index."""
        slot = self._slots[step_index] = Slot(step_id)
        self._index_of.setdefault(step_id, step_index)
        self._next_index = max(self._next_index, step_index + 1)
        return slot

    def add_iteration(self, step_index: int, step_id: str) -> None:
        """Add one more step id to an index."""
        self._slots[step_index].add_iteration(step_id)
        self._index_of.setdefault(step_id, step_index)

    def body(self, step_index: int) -> bytes:
        """The canonical step's record.

        Raises:
            ColdStepError: The record left memory.
        """
        raw = self._hot.get(step_index)
        if raw is None:
            raise ColdStepError(step_index, self._slots[step_index].seq)
        self._hot.move_to_end(step_index)
        return raw

    def keep(self, step_index: int, raw: bytes, seq: int) -> None:
        """Remember the canonical step's latest record, numbered `seq`."""
        self._slots[step_index].seq = seq
        self._store(step_index, raw)

    def warm(self, step_index: int, raw: bytes) -> None:
        """Hand back a record that was read from the journal; one that is hot is newer."""
        if step_index not in self._hot:
            self._store(step_index, raw)

    def _store(self, step_index: int, raw: bytes) -> None:
        self._hot_bytes += len(raw) - len(self._hot.pop(step_index, b""))
        self._hot[step_index] = raw
        while len(self._hot) > HOT_STEPS or (self._hot_bytes > HOT_BYTES and len(self._hot) > 1):
            coldest = next(iter(self._hot))
            if self._slots[coldest].seq > self._stored_seq():
                return
            self._hot_bytes -= len(self._hot.pop(coldest))
