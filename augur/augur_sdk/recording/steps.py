"""Recording steps: new ones, replacements of running ones, iterations, and patches."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Final

from augur_sdk.errors import RecordError
from augur_sdk.models import StepInput
from augur_sdk.recording import checks
from augur_sdk.entry import Kind
from augur_sdk.recording.state import RecorderState
from augur_sdk.recording.table import Slot

__all__ = ["CALLER_LEVEL", "StepRecording"]

CALLER_LEVEL: Final = 5
"""Frames between a warning raised in a recording method and the caller of the session's."""

_KEPT_OF_SENSITIVE: Final = (
    "step_id",
    "step_index",
    "step_type",
    "group_id",
    "required",
    "status",
    "failure_class",
    "capture_mode",
    "started_at",
    "ended_at",
    "duration_ms",
    "costs",
    "latency",
)


class StepRecording(RecorderState):
    """The step methods."""

    def record_step(self, step: StepInput) -> None:
        """Record a step, or replace one recorded before under the same `step_id`.

        The dict is neither mutated nor kept: what is stored is its value at the time of the
        call. A known `step_id` replaces that step (`running` -> `succeeded`); values that were
        patched in since (verdicts, costs, fingerprints, ...) stay unless the new record brings
        its own. Another `step_id` at a known `step_index` is stored as an iteration, with a
        DeprecationWarning in favour of `record_step_iteration`.

        `sensitive: True` in the dict keeps only the step's structure (ids, status, times, type
        of action and verdict); nothing else of it reaches disk or wire.

        Args:
            step: A step_trace record (contract/records.md); at least `step_index` (from 0) and
                `step_id`.

        Raises:
            ValueError: No usable `step_index` or `step_id`, or not a dict; in strict mode also
                a record that breaks the schema or holds what JSON cannot.
            RuntimeError: The session is not open.
        """
        self._require_open("record_step")
        if self.off:
            return
        record = checks.mapping(step, "the step")
        index = checks.step_index(record.get("step_index"))
        step_id = checks.text(record.get("step_id"), "step_id")
        record["step_index"] = index
        slot = self._steps.slot(index)
        if slot is None:
            self._put_canonical(index, step_id, self._prepared(record))
        elif slot.step_id == step_id:
            self._replace_canonical(index, slot, self._prepared(record))
        elif step_id in (slot.iteration_ids or ()):
            self._put_iteration(index, step_id, self._prepared(record))
        else:
            self._put_iteration(index, step_id, self._prepared(record))
            warnings.warn(
                f"a second step_id at step_index {index} is stored as an iteration; "
                "call record_step_iteration() to say so",
                DeprecationWarning,
                stacklevel=CALLER_LEVEL,
            )

    def record_step_iteration(self, step_id_or_index: str | int, iteration: StepInput) -> None:
        """Record one more attempt at a step that stands already.

        Args:
            step_id_or_index: The canonical step, by id or by index.
            iteration: A step_trace record with a `step_id` of its own; its `step_index` is
                set to the canonical step's.

        Raises:
            ValueError: No canonical step stands there, the iteration has no `step_id` of its
                own, or it is not a dict.
            RuntimeError: The session is not open.
        """
        self._require_open("record_step_iteration")
        if self.off:
            return
        record = checks.mapping(iteration, "the iteration")
        index = self._index_of(step_id_or_index)
        slot = self._slot_at(index)
        step_id = checks.text(record.get("step_id"), "the iteration's step_id")
        if step_id == slot.step_id:
            raise RecordError(
                "the iteration has the canonical step's step_id",
                expected="a step_id of its own",
                fix="Give each attempt its own id, for example by a suffix.",
            )
        record["step_index"] = index
        self._put_iteration(index, step_id, self._prepared(record))

    def reserve_step(self) -> int:
        """Take the next free step index, for a step that is about to happen."""
        self._require_open("step")
        return self._steps.reserve()

    def _index_of(self, step_id_or_index: str | int) -> int:
        if not isinstance(step_id_or_index, str):
            return checks.step_index(step_id_or_index)
        index = self._steps.index_of(step_id_or_index)
        if index is None:
            raise RecordError(
                "no step was recorded under that step_id",
                fix="Record the canonical step first with record_step().",
            )
        return index

    def _slot_at(self, step_index: int) -> Slot:
        slot = self._steps.slot(step_index)
        if slot is None:
            raise RecordError(
                f"no step stands at step_index {step_index}",
                fix="Record the step first with record_step().",
            )
        return slot

    def _prepared(self, record: dict[str, Any]) -> dict[str, Any]:
        """Apply what the session says about every step; the step's own values win."""
        if record.pop("sensitive", False):
            record = _structure_only(record)
        if self._mode_override is not None:
            record.setdefault("capture_mode", self._mode_override.value)
        return record

    def _put_canonical(self, index: int, step_id: str, record: dict[str, Any]) -> None:
        raw = self._checked("step_trace", self._encode(record))
        self._steps.add(index, step_id)
        self._emit_step(index, step_id, raw)

    def _replace_canonical(self, index: int, slot: Slot, record: dict[str, Any]) -> None:
        if slot.patched:
            before = self._decoded(index)
            for name in slot.patched & before.keys():
                record.setdefault(name, before[name])
        if slot.iteration_ids:
            record["step_iterations"] = slot.iterations
        self._emit_step(
            index, slot.step_id, self._checked("step_trace", self._encode(record))
        )

    def _put_iteration(self, index: int, step_id: str, record: dict[str, Any]) -> None:
        slot = self._slot_at(index)
        canonical = self._decoded(index)
        raw = self._checked("step_trace", self._encode(record))
        if step_id not in (slot.iteration_ids or ()):
            self._steps.add_iteration(index, step_id)
            canonical["step_iterations"] = slot.iterations
            self._emit_step(index, slot.step_id, self._encode(canonical))
        self._emit(Kind.STEP, raw, item=step_id, step_index=index)

    def _emit_step(self, index: int, step_id: str, raw: bytes) -> None:
        seq = self._emit(Kind.STEP, raw, item=step_id, step_index=index)
        self._steps.keep(index, raw, seq)

    def _patch(self, step_index: int, change: Callable[[dict[str, Any]], set[str]]) -> int:
        """Change a recorded step and emit it again.

        `change` edits the record in place and returns the names of the top-level fields it
        touched; those survive a later replacement of the step.
        """
        index = checks.step_index(step_index)
        slot = self._slot_at(index)
        record = self._decoded(index)
        touched = change(record)
        raw = self._checked("step_trace", self._encode(record))
        slot.patched |= touched
        self._emit_step(index, slot.step_id, raw)
        return index


def _structure_only(record: dict[str, Any]) -> dict[str, Any]:
    kept = {name: record[name] for name in _KEPT_OF_SENSITIVE if name in record}
    for name, member in (("action", "type"), ("verdict", "status")):
        value = record.get(name)
        if isinstance(value, dict) and member in value:
            kept[name] = {member: value[member]}
    return kept
