"""The import itself: a log's messages and actions, in step, into a session.

`iter_tool_calls` and this module read the same messages side by side. Actions open steps; the
messages in between bring what belongs to them: the response they came from, the screenshots and
errors that answered them. A turn (one response) is recorded once the next one begins, so one turn
at most is held in memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from augur_sdk.adapter import SupportsSideEffects
from augur_sdk.adapters.actions import as_action
from augur_sdk.adapters.import_report import ImportReport
from augur_sdk.adapters.log_clock import EPOCH, LogClock
from augur_sdk.adapters.logged_message import LoggedMessage, Note, time_in
from augur_sdk.adapters.message_log import MessageLog
from augur_sdk.adapters.model_calls import PromptHash, model_of, modelio_record, sent_message
from augur_sdk.adapters.reasoning import reasoning_in
from augur_sdk.adapters.side_by_side import SideBySide, peek
from augur_sdk.adapters.turns import PendingStep, Turn, decision, outcome
from augur_sdk.adapters.usage import costs_of, usage_in
from augur_sdk.bundle import layout
from augur_sdk.models import RUN_STATUSES, DecisionEvent, StepTrace
from augur_sdk.times import utc_text

if TYPE_CHECKING:
    from augur_sdk import DebugSession
    from augur_sdk.adapters.model_api import ModelApiAdapterBase

__all__ = ["import_run"]

Message = Mapping[str, Any]


def import_run(
    adapter: ModelApiAdapterBase,
    messages: Iterable[Message],
    metadata: Mapping[str, Any],
    screens_dir: Path | None,
    report: ImportReport,
) -> None:
    """Write the bundle of a logged run to `report.bundle`, and fill in the rest of the report."""
    from augur_sdk import DebugSession

    first, source = peek(messages)
    start = time_in({"timestamp": metadata.get("started_at")}) or (
        time_in(first) if first else None
    )
    clock = LogClock(start)
    with DebugSession(
        run_id=report.run_id,
        client_name=adapter.name,
        client_version=adapter.client_version,
        out_dir=report.bundle,
        capture_mode=adapter.capture_mode,
        redaction_policy=adapter.redaction_policy,
        debug_session_id=_session_id(adapter.name, report),
        started_at=utc_text(start or EPOCH),
        tags=_tags(adapter, metadata),
        task_spec=_task_spec(metadata),
        dsn="",
    ) as session:
        _Import(adapter, session, metadata, screens_dir, clock, report).run(source)
        _note_losses(session, messages, clock, report)
        if clock.synthetic:
            session.add_tag("augur.times", "synthetic")
        if (status := metadata.get("status")) in RUN_STATUSES:
            session.set_status(status)
        session.close(ended_at=clock.now)


class _Import:
    """One import under way."""

    def __init__(
        self,
        adapter: ModelApiAdapterBase,
        session: DebugSession,
        metadata: Mapping[str, Any],
        screens_dir: Path | None,
        clock: LogClock,
        report: ImportReport,
    ) -> None:
        self._adapter = adapter
        self._session = session
        self._metadata = metadata
        self._screens_dir = screens_dir
        self._clock = clock
        self._report = report
        self._prompt = PromptHash()
        self._turn: Turn | None = None
        self._sent: list[dict[str, Any]] = []
        self._seen: bytes | None = None
        self._totals: dict[str, int] = {}

    def run(self, messages: Iterable[Message]) -> None:
        """Read the whole log."""
        both = SideBySide(messages)
        for turn_index, call_index, action in self._adapter.iter_tool_calls(both.source):
            for index, message in both.up_to(turn_index):
                self._read(index, message)
            self._open_step(call_index, action)
        for index, message in both.rest():
            self._read(index, message)
        self._close_turn()
        if self._totals:
            self._session.set_costs(**self._totals)

    def _read(self, index: int, message: Message) -> None:
        self._report.messages += 1
        facts = self._adapter.read_message(message)
        at = self._clock.advance(facts.at)
        if facts.is_response:
            self._close_turn()
            self._turn = Turn(index, message, facts, at, self._sent, self._prompt.value())
            self._sent = []
        else:
            self._sent.append(sent_message(message))
            self._take_results(facts, at if facts.at else None)
        self._prompt.add(message)

    def _open_step(self, call_index: int, raw: Mapping[str, Any]) -> None:
        turn = self._turn
        if turn is None:  # an action before any response: a turn of its own
            turn = self._turn = Turn(-1, {}, LoggedMessage(True), self._clock.advance(None))
        action = as_action(raw)
        self._report.malformed_actions += action is None
        ids = turn.facts.call_ids
        call_id = ids[call_index] if 0 <= call_index < len(ids) else None
        pre = None if turn.steps else self._seen
        turn.steps.append(PendingStep(self._report.steps, call_index, action, raw, call_id, pre))
        self._report.steps += 1

    def _take_results(self, facts: LoggedMessage, at: str | None) -> None:
        last_of = {step.call_id: step for step in self._turn.steps} if self._turn else {}
        for result in facts.results:
            if step := last_of.get(result.call_id):
                step.error, step.ended_at = result.error, at
        for picture in facts.pictures:
            step = last_of.get(picture.call_id) if picture.call_id is not None else None
            if picture.data is None:
                self._report.pictures_elsewhere += 1
                continue
            if step is not None:
                step.post = picture.data
            if step is None or not step.shows_a_part:
                self._seen = picture.data
        self._note(facts.notes, None)

    def _close_turn(self) -> None:
        turn, self._turn = self._turn, None
        if turn is None:
            return
        for step, before in zip(turn.steps, [None, *turn.steps], strict=False):
            if before is not None:
                step.pre = before.left_behind
            self._record_step(turn, step)
        if turn.index >= 0:
            self._record_response(turn)

    def _record_step(self, turn: Turn, step: PendingStep) -> None:
        record: dict[str, Any] = {
            **self._adapter.step_record(step.index, step.action, turn.at),
            "step_id": f"{self._session.run_id}/step/{step.index:04d}",
            **outcome(step, self._adapter.name),
            **self._observations(step),
        }
        if turn.facts.text:
            record["intent"] = turn.facts.text
        if model := model_of(turn.message, self._metadata):
            record["captured_versions"] = {"model": model}
        if step is turn.steps[0] and (costs := costs_of(usage_in(turn.message))):
            record["costs"] = costs
        self._session.record_step(cast("StepTrace", record))
        self._event(step.index, turn.at, decision(turn, step))
        self._declare(turn, step)

    def _declare(self, turn: Turn, step: PendingStep) -> None:
        """Enter in the ledger what the adapter knows to be an effect on the world outside."""
        adapter: object = self._adapter
        if not isinstance(adapter, SupportsSideEffects):
            return
        effect = adapter.on_side_effect(step.raw, step.index)
        if effect is None:
            return
        known = {"side_effect_id": f"se_{step.index:04d}", "provenance": "adapter_inferred"}
        declared = self._session.declare_side_effect(
            step.index, **{**known, **effect}, declared_at=turn.at
        )
        ended_at = step.ended_at or turn.at
        if step.error is None:
            self._session.commit_side_effect(declared, committed_at=ended_at)
        else:
            self._session.mark_side_effect_aborted(declared, step.error, aborted_at=ended_at)

    def _observations(self, step: PendingStep) -> dict[str, str]:
        pictures = {"pre": step.pre, "post": step.post}
        found = {kind: self._attach(step.index, kind, data) for kind, data in pictures.items()}
        return {f"observation_{kind}": path for kind, path in found.items() if path}

    def _attach(self, step_index: int, kind: str, embedded: bytes | None) -> str | None:
        data = self._beside(step_index, kind) or embedded
        if data is None:
            return None
        try:
            path = self._session.attach_observation(
                step_index=step_index,
                kind="pre" if kind == "pre" else "post",
                png_bytes=data,
            )
        except ValueError:
            self._report.pictures_elsewhere += 1
            return None
        self._report.pictures += 1
        return path

    def _beside(self, step_index: int, kind: str) -> bytes | None:
        if self._screens_dir is None:
            return None
        path = self._adapter.find_screenshot(self._screens_dir, step_index, kind)
        return Path(path).read_bytes() if path is not None else None

    def _record_response(self, turn: Turn) -> None:
        step_index = turn.steps[0].index if turn.steps else None
        record = modelio_record(turn.message, turn.sent, self._metadata, turn.prompt_hash)
        record["ts"] = turn.at
        self._session.record_modelio(record, step_index=step_index)
        for block in reasoning_in(turn.message):
            self._session.record_reasoning(step_index, **block, ts=turn.at)
        for name, count in costs_of(usage_in(turn.message)).items():
            self._totals[name] = self._totals.get(name, 0) + count
        self._note(turn.facts.notes, turn)

    def _note(self, notes: Iterable[Note], turn: Turn | None) -> None:
        around = turn or self._turn
        steps = around.steps if around else []
        first_of = {step.call_id: step.index for step in reversed(steps)}
        for note in notes:
            body = {"layer": note.layer, "kind": note.kind, "summary": note.summary}
            detail = {"detail": dict(note.detail)} if note.detail else {}
            at = around.at if around else self._clock.advance(None)
            self._event(first_of.get(note.call_id) if note.call_id else None, at, body | detail)

    def _event(self, step_index: int | None, at: str, body: Mapping[str, Any]) -> None:
        event = {"ts": at, **body} | ({} if step_index is None else {"step_index": step_index})
        self._session.record_event(cast("DecisionEvent", event))


def _note_losses(
    session: DebugSession, messages: Iterable[Message], clock: LogClock, report: ImportReport
) -> None:
    if isinstance(messages, MessageLog):
        report.skipped = messages.skipped.count
        report.first_skipped = list(messages.skipped.first)
    if report.losses:
        session.record_event(
            {
                "ts": clock.advance(None),
                "layer": "adapter",
                "kind": "error",
                "summary": report.losses,
            }
        )


def _session_id(adapter: str, report: ImportReport) -> str | None:
    """The same for each import of a run; a new one where an import was cut short.

    An unfinished session of the same id would be gone on with, and the run stand there twice.
    """
    if (report.bundle / layout.JOURNAL).exists():
        return None
    digest = hashlib.sha256(f"{adapter}\n{report.run_id}".encode("utf-8", "surrogatepass"))
    return f"dbg_{digest.hexdigest()[:12]}"


def _tags(adapter: ModelApiAdapterBase, metadata: Mapping[str, Any]) -> dict[str, str]:
    given = metadata.get("tags")
    tags = {str(k): str(v) for k, v in given.items()} if isinstance(given, dict) else {}
    return {"augur.adapter": adapter.name, "augur.import": "log"} | tags


def _task_spec(metadata: Mapping[str, Any]) -> dict[str, Any] | None:
    task = metadata.get("task")
    return {"instruction": task} if isinstance(task, str) and task else None
