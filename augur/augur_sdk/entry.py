"""An entry: one thing that the Recorder decided to keep, on its way to the journal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["COLLECTIONS", "DOCUMENTS", "LINES", "Entry", "Kind"]


class Kind(StrEnum):
    """What an entry is; the journal, the projection and the wire all speak in these."""

    OPEN = "open"
    SESSION = "session"
    STEP = "step"
    EVENT = "event"
    REASONING = "reasoning"
    LOG = "log"
    SCREENSHOT = "screenshot"
    WITHHELD = "withheld"
    OBSERVATION = "observation"
    MODELIO = "modelio"
    SIDE_EFFECT = "side_effect"
    FIXTURE = "replay_fixture"
    PRIOR_STEPS = "prior_steps"
    EVAL_CANDIDATE = "eval_candidate"
    OUTCOME = "outcome"
    JUDGE_DECISION = "judge_decision"
    COSTS = "costs"
    ACK = "ack"


DOCUMENTS: Final = frozenset(
    {Kind.OBSERVATION, Kind.MODELIO, Kind.SIDE_EFFECT, Kind.FIXTURE, Kind.PRIOR_STEPS}
)
"""Each is one JSON file at the entry's path; the latest entry for a path wins."""

LINES: Final = frozenset({Kind.EVENT, Kind.REASONING, Kind.LOG})
"""Each adds to the file at the entry's path."""

COLLECTIONS: Final = {Kind.EVAL_CANDIDATE: "candidates", Kind.OUTCOME: "outcomes"}
"""Each is one member of the list in the file at the entry's path; the latest per item wins."""


@dataclass(slots=True)
class Entry:
    """One record on its way to the journal.

    `body` is the unredacted JSON snapshot; it never leaves the process without passing the
    redaction door. `item` tells apart what shares a path or a step index: a step id, or a
    member of a collection. `blob` is a picture's bytes; `source` is a picture's file instead;
    `mask` are the boxes of the picture that nobody may see.
    """

    kind: Kind
    body: bytes
    path: str = ""
    item: str = ""
    step_index: int | None = None
    blob: bytes | None = None
    seq: int = 0
    source: str = ""
    mask: tuple[tuple[int, int, int, int], ...] = ()

    @property
    def size(self) -> int:
        """Bytes held in memory on behalf of this entry."""
        return len(self.body) + (len(self.blob) if self.blob is not None else 0)
