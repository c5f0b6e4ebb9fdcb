"""A record of the journal on its way to the server: what it is, and what it replaces."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from augur_sdk.bundle import layout
from augur_sdk.bundle.journal import Line, Ref
from augur_sdk.entry import Kind
from augur_sdk.streaming.routes import MERGE, Merge, Wire

__all__ = ["RETRACTABLE", "WIRES", "Waiting", "is_old_news", "name_of"]

WIRES: Final = {
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

RETRACTABLE: Final = frozenset({Wire.SCREENSHOT, Wire.EVENT, Wire.MODELIO, Wire.REASONING})
"""What a step that turns out to be sensitive takes back, and what therefore waits for it. Logs and
side effects are the operator's view of what happens now, and wait for nothing."""


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
        if self.wire in {Wire.SESSION, Wire.TRACE}:
            return Wire.TRACE  # the trace says what the session record said
        if MERGE[self.wire] is Merge.LATEST:
            return (self.wire, self.step_index, self.name)
        return self.seq

    @property
    def place(self) -> tuple[str, int | None]:
        """By what a withdrawal names it."""
        if self.wire in {Wire.MODELIO, Wire.SIDE_EFFECT}:
            return (self.path[: self.path.find("-") + 1], None)
        return (self.path, self.step_index if self.path == layout.REASONING else None)


def name_of(wire: Wire, line: Line) -> str:
    """What tells a record apart from others of its kind and step."""
    match wire:
        case Wire.SCREENSHOT | Wire.SIDE_EFFECT | Wire.STEP:
            return line.item
        case Wire.MODELIO:
            return line.path
        case Wire.LOG:
            return line.path.removeprefix(layout.PATHS["logs"]).removesuffix(".log")
    return ""


def is_old_news(line: Line) -> bool:
    """A side effect whose state the server knows; only the bundle gets its step's id."""
    return line.kind == Kind.SIDE_EFFECT and not line.item
