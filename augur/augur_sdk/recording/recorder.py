"""The Recorder: every recording method, without any I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from augur_sdk.entry import Kind
from augur_sdk.recording.adoption import Adoption
from augur_sdk.recording.bounded import EVENTS, LOGS, PICTURES, REASONING, Recalled
from augur_sdk.recording.branches import slice_of
from augur_sdk.recording.events import EventRecording
from augur_sdk.recording.fixtures import FixtureRecording
from augur_sdk.recording.modelio import ModelIORecording
from augur_sdk.recording.outcomes import OutcomeRecording
from augur_sdk.recording.reasoning import ReasoningRecording
from augur_sdk.recording.session_fields import SessionFields
from augur_sdk.recording.side_effects import SideEffectRecording
from augur_sdk.recording.step_fields import StepFields
from augur_sdk.recording.verdicts import Verdicts

__all__ = ["Recorder"]


class Recorder(
    FixtureRecording,
    StepFields,
    Verdicts,
    ModelIORecording,
    OutcomeRecording,
    Adoption,
    EventRecording,
    ReasoningRecording,
    SideEffectRecording,
    SessionFields,
):
    """Turns calls into entries: checks, snapshots and merges; nothing else.

    Both session classes offer these methods, with these signatures and docstrings.
    """

    def restore(self, session: dict[str, Any], lines: Iterable[Recalled]) -> None:
        """Go on with a run that an earlier process left unfinished.

        Args:
            session: The session record that the journal holds.
            lines: Every record in the journal, in order.
        """
        given: dict[str, Any] = {
            name: self._session[name]
            for name in ("task_spec", "task_spec_id")
            if name in self._session
        }
        tags = {**session.get("tags", {}), **self._session["tags"]}
        self._session = {**session, **given, "status": "running", "tags": tags}
        self._session.pop("ended_at", None)
        self._branch = slice_of(self._session.get("branch_context"))
        recall = self._recalls()
        for line in lines:
            if line.kind in recall:
                # A record that redaction had to replace whole says too little to go on with.
                with suppress(KeyError, TypeError, ValueError, AttributeError):
                    recall[line.kind](line)

    def _recalls(self) -> dict[str, Callable[[Recalled], None]]:
        return {
            Kind.STEP: self._recall_step,
            Kind.WITHHELD: self._recall_withheld,
            Kind.MODELIO: self._recall_modelio,
            Kind.SIDE_EFFECT: self._recall_side_effect,
            Kind.EVENT: lambda line: self._saw(line.step_index, EVENTS),
            Kind.REASONING: lambda line: self._saw(line.step_index, REASONING),
            Kind.SCREENSHOT: lambda line: self._saw(line.step_index, PICTURES.get(line.item, 0)),
            Kind.LOG: self._recall_log,
            Kind.FIXTURE: self._recall_fixture,
        }

    def _recall_log(self, line: Recalled) -> None:
        self._saw(line.step_index, LOGS)
