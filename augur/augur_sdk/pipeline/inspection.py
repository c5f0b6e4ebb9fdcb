"""Schema checks that only count and warn; made behind the agent's back."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from augur_sdk.entry import Kind

if TYPE_CHECKING:
    from augur_sdk.models.validators import Problem

__all__ = ["Inspector"]

logger: logging.Logger = logging.getLogger("augur_sdk")

_RECORDS: Final = {
    Kind.STEP: "step_trace",
    Kind.EVENT: "decision_event",
    Kind.SESSION: "debug_session",
    Kind.MODELIO: "modelio",
    Kind.SIDE_EFFECT: "side_effect",
    Kind.OUTCOME: "outcome_record",
    Kind.EVAL_CANDIDATE: "eval_candidate",
    Kind.FIXTURE: "replay_fixture",
    Kind.PRIOR_STEPS: "prior_steps",
}
"""The record that each kind of entry holds. A reasoning trace may lack its step (records.md)."""


class Inspector:
    """Counts the records that break their schema; each kind is said once, without values.

    `follower` is shown every record that was stored, in order; it never raises.
    """

    def __init__(self, debug_session_id: str) -> None:
        self._where = f"session {debug_session_id}"
        self._said: set[Kind] = set()
        self.count: int = 0
        self.follower: Callable[[Kind, bytes], None] | None = None

    def inspect(self, kind: Kind, data: bytes) -> None:
        """Check one stored record; never raises, since a check must not cost the record."""
        if self.follower is not None:
            self.follower(kind, data)
        record = _RECORDS.get(kind)
        if record is None:
            return
        try:
            found = _first_problem(record, data)
        except Exception as error:  # noqa: BLE001 - said in the log; the record goes on
            self._say(kind, "%s: a %s could not be checked (%s)", record, type(error).__name__)
            return
        if found is not None:
            self.count += 1
            self._say(
                kind,
                "%s: a %s breaks its schema at %s (%s); it is stored as given, and so are later "
                "ones. strict=True raises instead; session.stats counts them",
                record,
                found.path or "its top",
                found.message,
            )

    def _say(self, kind: Kind, message: str, *facts: str) -> None:
        if kind not in self._said:
            self._said.add(kind)
            logger.warning(message, self._where, *facts)


def _first_problem(record: str, data: bytes) -> Problem | None:
    from augur_sdk.models.validators import problems_json

    return next(iter(problems_json(record, data)), None)
