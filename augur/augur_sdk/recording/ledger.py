"""What the Recorder remembers of side effects: those that may still change, and every id."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from augur_sdk.bundle import layout
from augur_sdk.errors import RecordError, UnknownIdError
from augur_sdk.recording.names import FileNames

__all__ = ["INTENT", "Ledger"]

INTENT: Final = "intent_only"


class Ledger:
    """The effects of a run.

    A record stays in memory while it is pending, or while its step is not recorded yet; of the
    others only the id is remembered, because an id is used once.

    Args:
        debug_session_id: What generated ids are derived from: the same calls give the same ids.
        clean: Redacts an id from outside before it becomes part of a path.
    """

    def __init__(self, debug_session_id: str, clean: Callable[[str], str]) -> None:
        self._session = debug_session_id
        self._names = FileNames(clean)
        self._records: dict[str, dict[str, Any]] = {}
        self._made = 0

    def fresh_id(self) -> str:
        """An id that no effect of the run has, and that was not handed out before."""
        while True:
            number = max(self._made, len(self._names))
            self._made = number + 1
            seed = f"{self._session}:{number}".encode()
            candidate = f"se_{hashlib.sha256(seed).hexdigest()[:12]}"
            if not self._names.knows(candidate):
                return candidate

    def knows(self, side_effect_id: str) -> bool:
        """Whether an effect was declared under this id."""
        return self._names.knows(side_effect_id)

    def path(self, record: dict[str, Any]) -> str:
        """Where an effect's record belongs."""
        name = self._names.name(record["side_effect_id"])
        return layout.side_effect_path(record["step_index"], name)

    def recalled(self, record: dict[str, Any], path: str) -> None:
        """Take note of an effect that an earlier process declared."""
        stem = path.rpartition("/")[2].partition("-")[2].removesuffix(".json")
        self._names.taken(stem, record["side_effect_id"])

    def keep(self, record: dict[str, Any]) -> None:
        """Remember an effect's latest record."""
        self._records[record["side_effect_id"]] = record

    def let_go(self, step_index: int) -> None:
        """The step is recorded: forget those of its effects that cannot change any more."""
        for record in self.of_step(step_index):
            if record["status"] != INTENT:
                del self._records[record["side_effect_id"]]

    def pending(self, side_effect_id: Any) -> dict[str, Any]:
        """A copy of the record of an effect that is neither committed nor aborted.

        Raises:
            RecordError: There is none under this id.
        """
        record = self._records.get(side_effect_id) if isinstance(side_effect_id, str) else None
        if record is not None and record["status"] == INTENT:
            return dict(record)
        if isinstance(side_effect_id, str) and self.knows(side_effect_id):
            raise RecordError(
                "the side effect is committed or aborted already",
                expected="the id of one that is only declared",
                fix="Declare another effect for another attempt.",
            )
        raise UnknownIdError(
            "no side effect was declared under that id",
            expected="an id that declare_side_effect() returned",
        )

    def all_pending(self) -> Iterator[dict[str, Any]]:
        """A copy of every record that is neither committed nor aborted, in order of declaration."""
        return (dict(r) for r in list(self._records.values()) if r["status"] == INTENT)

    def of_step(self, step_index: int) -> list[dict[str, Any]]:
        """A copy of every record in memory that belongs to a step."""
        return [dict(r) for r in self._records.values() if r["step_index"] == step_index]
