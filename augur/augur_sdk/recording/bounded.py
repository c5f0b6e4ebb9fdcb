"""What may be kept of each step, and taking back what came before that was known.

Records of a step often come before the step itself: its screenshots, events and model calls.
Where the step then turns out to be sensitive, or says a capture mode of its own that is lower
than the one in force, what was kept of it too much is withdrawn again: `WITHHELD` entries
remove it from the bundle.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Protocol

from augur_sdk.bundle import layout
from augur_sdk.capture import CaptureMode
from augur_sdk.entry import Kind
from augur_sdk.errors import RecordError
from augur_sdk.recording import bounds
from augur_sdk.recording.state import RecorderState
from augur_sdk.recording.table import Slot

__all__ = [
    "EFFECTS",
    "EVENTS",
    "FREE",
    "LOGS",
    "MODEL_CALLS",
    "PICTURES",
    "REASONING",
    "SENSITIVE",
    "Bound",
    "Bounded",
    "Recalled",
]

EVENTS: Final = 4
LOGS: Final = 8
MODEL_CALLS: Final = 16
REASONING: Final = 32
EFFECTS: Final = 64
_MARKED: Final = 128
PICTURES: Final = {"pre": 1, "post": 2}
"""Flags of what came for a step; small numbers, because every step of a long run has them."""

SENSITIVE: Final = "sensitive"
"""The control key of a step, and the item of the entry that remembers it."""


class Bound(NamedTuple):
    """What may be kept of one step."""

    sensitive: bool
    ceiling: CaptureMode

    def keeps(self, mode: CaptureMode) -> bool:
        """Whether what a mode adds may be kept."""
        return self is FREE or (not self.sensitive and self.ceiling >= mode)

    def records(self, mode: CaptureMode) -> bool:
        """Whether what a mode adds may be kept, if only its structure."""
        return self is FREE or self.ceiling >= mode

    def step(self, record: dict[str, Any]) -> dict[str, Any]:
        """What is kept of a step record."""
        if self is FREE:
            return record
        kept = bounds.sensitive_step(record) if self.sensitive else record
        return kept if self.ceiling >= CaptureMode.TRACE else bounds.step(kept)


FREE: Final = Bound(sensitive=False, ceiling=CaptureMode.FULL)
"""Everything may be kept; asked for with `is`, because every call asks."""


def _bound(sensitive: bool, ceiling: CaptureMode) -> Bound:
    if not sensitive and ceiling is CaptureMode.FULL:
        return FREE
    return Bound(sensitive, ceiling)


class Recalled(Protocol):
    """A record that an earlier process left in the journal."""

    @property
    def kind(self) -> str:
        """What it is."""
        ...

    @property
    def path(self) -> str:
        """Where it belongs in the bundle."""
        ...

    @property
    def item(self) -> str:
        """A step's id, or a member of a collection."""
        ...

    @property
    def step_index(self) -> int | None:
        """The step it belongs to."""
        ...

    @property
    def data(self) -> bytes:
        """Its JSON."""
        ...


class Bounded(RecorderState):
    """What the recording methods ask before they keep something."""

    def _bound_at(self, step_index: int | None) -> Bound:
        """What may be kept of a step, or of the run, as far as it is known now."""
        return self._bound_of(None if step_index is None else self._steps.slot(step_index))

    def _bound_of(self, slot: Slot | None) -> Bound:
        ceiling = self._ceiling
        if slot is None:
            return _bound(False, ceiling)
        if slot.ceiling is not None and slot.ceiling < ceiling:
            ceiling = slot.ceiling
        return _bound(slot.sensitive, ceiling)

    def _bound_for(self, record: dict[str, Any], slot: Slot | None) -> Bound:
        """What may be kept of a step that is being recorded; takes the control key out of it.

        A step can say a lower mode than the one in force, but not raise it: what is sensitive
        stays so, and who set the bound meant it.
        """
        sensitive = bool(record.pop(SENSITIVE, False)) or (slot is not None and slot.sensitive)
        ceiling = self._ceiling
        if self.settings.enforce and (own := _own_mode(record)) is not None:
            # At least metadata: a step that was recorded has to stand there for later calls.
            ceiling = min(ceiling, max(own, CaptureMode.METADATA))
        return _bound(sensitive, ceiling)

    def _saw(self, step_index: int | None, flag: int) -> None:
        """Remember that a kind of record came for a step."""
        if step_index is None:
            return
        slot = self._steps.slot(step_index)
        if slot is not None:
            slot.seen |= flag
        else:
            self._early[step_index] = self._early.get(step_index, 0) | flag

    def _bind(self, step_index: int, slot: Slot, bound: Bound) -> None:
        """Hold a step to its bound, and withdraw what was kept of it too much."""
        slot.ceiling = None if bound.ceiling is self._ceiling else bound.ceiling
        if bound.sensitive and not slot.sensitive:
            slot.sensitive = True
            self._withhold(step_index, "", item=SENSITIVE)
        if slot.seen and (bound.sensitive or slot.ceiling is not None):
            self._withdraw(step_index, slot, bound)

    def _withdraw(self, step_index: int, slot: Slot, bound: Bound) -> None:
        for kind, flag in PICTURES.items():
            if slot.seen & flag and not bound.keeps(CaptureMode.SCREENSHOTS):
                self._withhold(step_index, layout.screenshot_path(step_index, kind))
        for flag, mode, path in _withdrawn(step_index):
            if slot.seen & flag and not bound.keeps(mode):
                self._withhold(step_index, path)
        if slot.seen & EFFECTS:
            for effect in self._ledger.of_step(step_index):
                self._emit_effect(effect)
        slot.seen &= EFFECTS

    def _withhold(self, step_index: int, path: str, *, item: str = "") -> None:
        self._emit(Kind.WITHHELD, b"{}", path=path, item=item, step_index=step_index)

    def _emit_effect(self, effect: dict[str, Any], *, news: bool = True) -> None:
        """Hand on a side effect's record, as far as its step lets it be kept.

        Without `news` its state is the one that was handed on before: the item is empty then,
        and the server is not told again.
        """
        index = effect["step_index"]
        kept = self._bound_at(index).keeps(CaptureMode.TRACE)
        raw = self._encode(effect if kept else bounds.side_effect(effect), "side_effect")
        path = self._ledger.path(effect)
        item = effect["side_effect_id"] if news else ""
        self._emit(Kind.SIDE_EFFECT, raw, path=path, item=item, step_index=index)

    def _opened(self, step_index: int, slot: Slot) -> Slot:
        """Hand over to a new slot what came before its step."""
        early = self._early.pop(step_index, 0) if self._early else 0
        slot.seen = early & ~_MARKED
        slot.sensitive = bool(early & _MARKED)
        return slot

    def _recall_withheld(self, line: Recalled) -> None:
        if line.item == SENSITIVE and line.step_index is not None:
            slot = self._steps.slot(line.step_index)
            if slot is not None:
                slot.sensitive = True
            else:
                self._saw(line.step_index, _MARKED)


def _withdrawn(step_index: int) -> tuple[tuple[int, CaptureMode, str], ...]:
    """What else is withdrawn, below which mode; a path that ends with `-` is a prefix."""
    trace, model_io = CaptureMode.TRACE, CaptureMode.MODEL_IO
    return (
        (EVENTS, trace, layout.events_path(step_index)),
        (LOGS, trace, layout.log_path("", step_index)),
        (MODEL_CALLS, model_io, layout.modelio_path(step_index, "x", 0).removesuffix("x-0.json")),
        (REASONING, model_io, layout.REASONING),
        (EFFECTS, trace, layout.side_effect_path(step_index, "x").removesuffix("x.json")),
    )


def _own_mode(record: Mapping[str, Any]) -> CaptureMode | None:
    try:
        return CaptureMode(record["capture_mode"])
    except (KeyError, ValueError, RecordError):
        return None
