"""Schema checks that only count and warn; made behind the agent's back."""

from __future__ import annotations

import logging
from typing import Final

from augur_sdk.entry import Kind

__all__ = ["Inspector"]

logger = logging.getLogger("augur_sdk")

_RECORDS: Final = {
    Kind.STEP: "step_trace",
    Kind.EVENT: "decision_event",
    Kind.SESSION: "debug_session",
    Kind.MODELIO: "modelio",
    Kind.SIDE_EFFECT: "side_effect",
    Kind.OUTCOME: "outcome_record",
    Kind.EVAL_CANDIDATE: "eval_candidate",
}
"""The record that each kind of entry holds. A reasoning trace may lack its step (records.md)."""


class Inspector:
    """Counts the records that break their schema; each kind is said once, without values."""

    def __init__(self, debug_session_id: str) -> None:
        self._where = f"session {debug_session_id}"
        self._said: set[Kind] = set()
        self.count = 0

    def inspect(self, kind: Kind, data: bytes) -> None:
        """Check one stored record."""
        record = _RECORDS.get(kind)
        if record is None:
            return
        from augur_sdk.models.validators import problems_json

        problems = problems_json(record, data)
        if not problems:
            return
        self.count += 1
        if kind not in self._said:
            self._said.add(kind)
            logger.warning(
                "%s: a %s breaks its schema at %s (%s); it is stored as given, and so are later "
                "ones. strict=True raises instead; session.stats counts them",
                self._where,
                record,
                problems[0].path or "its top",
                problems[0].message,
            )
