"""Recording decision events."""

from __future__ import annotations

import datetime

from augur_sdk.bundle import layout
from augur_sdk.capture import CaptureMode
from augur_sdk.entry import Kind
from augur_sdk.errors import RecordError
from augur_sdk.models import DecisionEvent
from augur_sdk.recording import bounds, checks
from augur_sdk.recording.bounded import EVENTS, LOGS, Bounded

__all__ = ["EventRecording"]


class EventRecording(Bounded):
    """The methods for what goes on: decision events and runner logs."""

    def record_event(self, event: DecisionEvent) -> None:
        """Record a decision event of a step, or of the whole run.

        Args:
            event: A decision_event record (contract/records.md): at least `ts`, an ISO-8601
                time; without `step_index` it belongs to the run. It may come before its step. Of an
                event of a sensitive step only time, layer and kind are kept.

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
        raw = self._encode(record, "decision_event")
        bound = self._bound_at(index)
        if bound.sensitive:
            raw = self._encode(bounds.event(record))
        if bound.records(CaptureMode.TRACE):
            self._emit(Kind.EVENT, raw, path=layout.events_path(index), step_index=index)
            self._saw(index, EVENTS)

    def append_log(self, text: str, *, step_index: int | None = None, name: str = "run") -> None:
        """Stream a chunk of a runner log to the server.

        Does nothing when streaming is disabled: local logs belong in the bundle's `logs/`
        folder, written directly through the session's store.

        Args:
            text: The chunk, with its line ends.
            step_index: The step whose log it is; without one it goes to the log `name`.
            name: The log's name.

        Raises:
            ValueError: `text` or `name` is not a string, or no usable `step_index`.
            RuntimeError: The session is not open.
        """
        self._require_open("append_log")
        if self.off or not self.settings.streaming:
            return
        index = checks.optional_step_index(step_index)
        chunk = {"text": checks.string(text, "the log text"), "name": checks.text(name, "name")}
        if not self._bound_at(index).keeps(CaptureMode.TRACE):
            return
        where = {} if index is None else {"step_index": index}
        path = layout.log_path(self._log_names.name(name), index)
        self._emit(Kind.LOG, self._encode({**chunk, **where}), path=path, step_index=index)
        self._saw(index, LOGS)
