"""The state that all recording methods share, and the one way in which an entry leaves it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import orjson

from augur_sdk.capture import CaptureMode
from augur_sdk.entry import Entry, Kind
from augur_sdk.errors import RecordError, SessionStateError
from augur_sdk.models import SCHEMA_VERSION
from augur_sdk.recording import bounds, checks
from augur_sdk.recording.branches import slice_of
from augur_sdk.recording.costs import CostRollup
from augur_sdk.recording.ledger import Ledger
from augur_sdk.recording.leniency import Leniency
from augur_sdk.recording.model_calls import ModelCalls
from augur_sdk.recording.names import FileNames
from augur_sdk.recording.snapshot import clearest_text, snapshot
from augur_sdk.recording.table import StepTable

__all__ = ["Lifecycle", "Outlet", "Privacy", "RecorderState", "Settings"]


class Lifecycle(Enum):
    """NEW -> OPEN -> CLOSED; recording is possible in OPEN only."""

    NEW = "new"
    OPEN = "open"
    CLOSED = "closed"


class Settings(NamedTuple):
    """What a session was constructed with, as far as records show it."""

    run_id: str
    debug_session_id: str
    client: dict[str, str]
    capture_mode: CaptureMode
    started_at: str
    policy_id: str
    tags: Mapping[str, str] = MappingProxyType({})
    strict: bool = False
    streaming: bool = False
    destination: str = ""
    enforce: bool = False
    orchestrator: bool = False
    branch_context: dict[str, Any] | None = None
    task_spec: dict[str, Any] | None = None
    task_spec_id: str | None = None
    group_id: str | None = None
    capture_logprobs: bool = False


class Outlet(Protocol):
    """Where the Recorder's entries go, and what it may know of their way."""

    def push(self, entry: Entry) -> None:
        """Take an entry; never blocks, never raises."""
        ...

    def stored_seq(self) -> int:
        """The number of the last entry that the journal holds."""
        ...


class Privacy(Protocol):
    """The redaction door, as far as recording knows it. Pure too: text in, text out."""

    def text(self, text: str) -> str:
        """A text from outside, fit to become part of a file's name."""
        ...

    def learn(self, step: Mapping[str, Any]) -> bool:
        """See what a step typed before anything of it is handed on."""
        ...


class RecorderState:
    """The Recorder's state. Pure: no await, clock, socket or path of its own.

    One lock guards it; callers hold it around each call, so that an entry's number is also its
    place in the outlet.
    """

    def __init__(
        self, settings: Settings, outlet: Outlet, now: Callable[[], str], privacy: Privacy
    ) -> None:
        self.lock: threading.RLock = threading.RLock()
        self.settings = settings
        self.lifecycle: Lifecycle = Lifecycle.NEW
        self.accepted: int = 0
        self.repaired: int = 0
        self.leniency: Leniency = Leniency(settings.debug_session_id, strict=settings.strict)
        self._outlet = outlet
        self._now = now
        self._privacy = privacy
        self._seq = 0
        self._steps = StepTable(outlet.stored_seq)
        self._patch_sets: dict[frozenset[str], frozenset[str]] = {}
        self._early: dict[int, int] = {}
        self._calls = ModelCalls(privacy.text)
        self._ledger = Ledger(settings.debug_session_id, privacy.text)
        self._log_names = FileNames(privacy.text)
        self._costs = CostRollup()
        self._completed: dict[str, int] = {}
        self._group_id = settings.group_id
        self._mode_override: CaptureMode | None = None
        self._hold_to(settings.capture_mode if settings.enforce else CaptureMode.FULL)
        self._ended_at = ""
        self._session = self._opening_record(settings)
        self._branch = slice_of(settings.branch_context)

    def _opening_record(self, settings: Settings) -> dict[str, Any]:
        optional = {
            "branch_context": self._plain("branch_context", settings.branch_context),
            "task_spec": self._plain("task_spec", settings.task_spec),
            "task_spec_id": settings.task_spec_id,
        }
        return {
            "schema_version": SCHEMA_VERSION,
            "debug_session_id": settings.debug_session_id,
            "run_id": settings.run_id,
            "client": dict(settings.client),
            "capture_mode": settings.capture_mode.value,
            "started_at": settings.started_at,
            "status": "running",
            "tags": dict(settings.tags),
            **{name: value for name, value in optional.items() if value is not None},
        }

    def _hold_to(self, ceiling: CaptureMode) -> None:
        """From now on keep at most what a mode keeps; `off` says whether that is nothing."""
        self._ceiling = ceiling
        self.off: bool = CaptureMode.OFF in (self.settings.capture_mode, ceiling)

    def warm(self, step_index: int, seq: int, raw: bytes | None) -> None:
        """Hand back the record of a step that left memory; None when it was lost.

        `seq` is the number that the step had when it was missed: meanwhile another thread may
        have changed the step, and what was read is out of date then.
        """
        slot = self._steps.slot(step_index)
        if slot is None or slot.seq != seq:
            return
        if raw is None:
            raw = orjson.dumps({"step_id": slot.step_id, "step_index": step_index})
        self._steps.warm(step_index, raw)

    @property
    def repeated_calls(self) -> int:
        """Model calls not kept again although they brought another response."""
        return self._calls.repeats

    @property
    def last_seq(self) -> int:
        """The number of the last entry that was handed on."""
        return self._seq

    def session_record(self) -> dict[str, Any]:
        """The session record as far as it is kept, unredacted."""
        if self._ceiling >= CaptureMode.TRACE:
            return dict(self._session)
        return bounds.session(self._session)

    def require_open(self, call: str) -> None:
        """Refuse what belongs between opening and closing."""
        self._require_open(call)

    def require_new(self) -> None:
        """Refuse to be opened twice."""
        if self.lifecycle is not Lifecycle.NEW:
            raise SessionStateError(
                "the session was opened before", fix="Construct a new session for each run."
            )

    def open(self) -> None:
        """Begin: from here on records are accepted."""
        self.require_new()
        self.lifecycle = Lifecycle.OPEN
        opening = {
            "format": 1,
            "debug_session_id": self.settings.debug_session_id,
            "run_id": self.settings.run_id,
            "policy_id": self.settings.policy_id,
            **({"destination": self.settings.destination} if self.settings.destination else {}),
        }
        self._emit(Kind.OPEN, self._encode(opening))
        self._emit_session()

    def end_at(self, ended_at: str | None) -> None:
        """Say when the run ended, where that is not when it is shut.

        Raises:
            ValueError: Not a time in text.
        """
        if ended_at is not None:
            self._ended_at = checks.text(ended_at, "ended_at")

    def shut(self, status: str | None, *, failed: bool = False) -> None:
        """End: settle the terminal status, whatever word it is, and refuse every later record.

        Raises:
            RuntimeError: The session was never opened.
        """
        if self.lifecycle is Lifecycle.CLOSED:
            return
        self._require_open("close")
        if status is not None:
            self._session["status"] = clearest_text(status)
        elif failed and self._session["status"] == "running":
            self._session["status"] = "halted"
        elif self._session["status"] == "running":
            self._session["status"] = "succeeded"
        self._session["ended_at"] = self._ended_at or self._now()
        self._settle()
        self._emit_session()
        self.lifecycle = Lifecycle.CLOSED

    def _settle(self) -> None:
        """Hand on what was waiting for something that will not come any more."""

    def _require_open(self, call: str) -> None:
        if self.lifecycle is Lifecycle.OPEN:
            return
        if self.lifecycle is Lifecycle.NEW:
            raise SessionStateError(
                f"{call} was called before the session was opened",
                fix="Record inside `with session:` (or `async with session:`).",
            )
        raise SessionStateError(
            f"{call} was called after the session was closed",
            fix="Record before close(), or inside the `with` block.",
        )

    def _encode(self, value: Any, record: str = "") -> bytes:
        """A value as it is now; in strict mode it has to be a valid `record`, where one is named.

        Raises:
            RecordError: It is too large; in strict mode also: it breaks the schema, or is no JSON.
        """
        raw, repaired = snapshot(value)
        if repaired:
            if self.settings.strict:
                raise RecordError(
                    f"the record holds {repaired} value(s) that JSON cannot hold",
                    expected="strings, finite numbers, booleans, None, lists and dicts",
                )
            self.repaired += repaired
        if record and self.settings.strict:
            self._check(record, raw)
        return raw

    def _plain(self, record: str, value: Any) -> Any:
        """A value as it is now, in plain types that nobody else holds."""
        return None if value is None else orjson.loads(self._encode(value, record))

    def _check(self, record: str, raw: bytes) -> None:
        from augur_sdk.models.validators import problems_json

        if found := problems_json(record, raw):
            raise RecordError(
                f"the {record} breaks its schema at {found[0].path}: {found[0].message}",
                fix="See contract/records.md, or leave strict mode to store it as given.",
            )

    def _emit(
        self,
        kind: Kind,
        body: bytes,
        *,
        path: str = "",
        item: str = "",
        step_index: int | None = None,
        blob: bytes | None = None,
        source: str = "",
        mask: tuple[tuple[int, int, int, int], ...] = (),
    ) -> int:
        """Number an entry and hand it on; returns the number."""
        self._seq += 1
        self.accepted += 1
        self._outlet.push(Entry(kind, body, path, item, step_index, blob, self._seq, source, mask))
        return self._seq

    def _emit_session(self) -> None:
        self._emit(Kind.SESSION, self._encode(self.session_record()))

    def _decoded(self, step_index: int) -> dict[str, Any]:
        record: dict[str, Any] = orjson.loads(self._steps.body(step_index))
        return record
