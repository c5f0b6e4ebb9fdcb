"""Recording decision events."""

from __future__ import annotations

import datetime

from augur_sdk.bundle import layout
from augur_sdk.errors import RecordError
from augur_sdk.models import DecisionEvent
from augur_sdk.recording import checks
from augur_sdk.entry import Kind
from augur_sdk.recording.state import RecorderState

__all__ = ["EventRecording"]


class EventRecording(RecorderState):
    """The event method."""

    def record_event(self, event: DecisionEvent) -> None:
        """Record a decision event of a step, or of the whole run.

        Args:
            event: A decision_event record (contract/records.md): at least `ts`, an ISO-8601
                time; without `step_index` it belongs to the run. It may come before its step.

        Raises:
            ValueError: No usable `ts` or `step_index`, or not a dict; in strict mode also a
                record that breaks the schema or holds what JSON cannot.
            RuntimeError: The session is not open.
        """
        self._require_open("record_event")
        if self.off:
            return
        record = checks.mapping(event, "the event")
        ts = record.get("ts")
        if not ts or not isinstance(ts, str | datetime.datetime):
            raise RecordError("the event has no usable ts", expected="an ISO-8601 time")
        index = checks.optional_step_index(record.get("step_index"))
        if index is None:
            record.pop("step_index", None)
        else:
            record["step_index"] = index
        raw = self._checked("decision_event", self._encode(record))
        self._emit(Kind.EVENT, raw, path=layout.events_path(index), step_index=index)
