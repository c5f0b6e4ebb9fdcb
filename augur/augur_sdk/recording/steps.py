"""Recording steps: new ones, replacements of running ones, iterations, and patches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from augur_sdk.capture import CaptureMode
from augur_sdk.entry import Kind
from augur_sdk.errors import RecordError, SessionStateError, UnknownIdError
from augur_sdk.models import StepInput
from augur_sdk.recording import checks
from augur_sdk.recording.bounded import EFFECTS, FREE, SENSITIVE, Bound, Bounded, Recalled
from augur_sdk.recording.callers import warn_caller
from augur_sdk.recording.table import Slot

__all__ = ["StepRecording"]

_PATCHABLE: Final = frozenset(
    {
        "captured_versions",
        "costs",
        "env_fingerprint",
        "judge_decisions",
        "loop_detected",
        "subgoals_completed",
        "verdict",
        "verdict_source",
    }
)
_MERGED: Final = frozenset({"captured_versions", "costs", "env_fingerprint"})
"""Of these a new record of the step brings members, and what was patched in keeps the others."""


class StepRecording(Bounded):
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
        self._require_steps("record_step")
        if self.off:
            return
        record = checks.mapping(step, "the step")
        index = checks.step_index(record.get("step_index"))
        step_id = checks.text(record.get("step_id"), "step_id")
        record["step_index"] = index
        slot = self._steps.slot(index)
        self._learn(slot, record)
        if slot is None:
            self._put_canonical(index, step_id, record)
        elif slot.step_id == step_id:
            self._replace_canonical(index, slot, record)
        else:
            known = step_id in (slot.iteration_ids or ())
            self._put_iteration(index, slot, step_id, record)
            if not known:
                warn_caller(
                    f"a second step_id at step_index {index} is stored as an iteration; "
                    "call record_step_iteration() to say so",
                    DeprecationWarning,
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
        self._require_steps("record_step_iteration")
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
        self._learn(slot, record)
        self._put_iteration(index, slot, step_id, record)

    def _learn(self, slot: Slot | None, record: dict[str, Any]) -> None:
        """Let the door see what a step typed before anything of it is handed on."""
        marked = slot is not None and slot.sensitive
        self._privacy.learn({**record, SENSITIVE: True} if marked else record)

    def reserve_step(self) -> int:
        """Take the next free step index, for a step that is about to happen."""
        self._require_steps("step")
        return self._steps.reserve()

    def _index_of(self, step_id_or_index: str | int) -> int:
        if not isinstance(step_id_or_index, str):
            return checks.step_index(step_id_or_index)
        index = self._steps.index_of(step_id_or_index)
        if index is None:
            raise UnknownIdError(
                "no step was recorded under that step_id",
                fix="Record the canonical step first with record_step().",
            )
        return index

    def _slot_at(self, step_index: int) -> Slot:
        slot = self._steps.slot(step_index)
        if slot is None:
            raise UnknownIdError(
                f"no step stands at step_index {step_index}",
                fix="Record the step first with record_step().",
            )
        return slot

    def _require_steps(self, call: str) -> None:
        """Refuse a call that makes no sense for a session without steps of its own."""
        self._require_open(call)
        if self.settings.orchestrator:
            raise SessionStateError(
                f"{call} was called on an orchestrator session, which has no steps of its own",
                fix="Record steps in the sessions that it fans out to.",
            )

    def _prepared(self, record: dict[str, Any], bound: Bound) -> dict[str, Any]:
        """Apply what the session says about every step; the step's own values win."""
        if self._mode_override is not None:
            record.setdefault("capture_mode", self._mode_override.value)
        if self._group_id is not None:
            record.setdefault("group_id", self._group_id)
        if self._branch is not None:
            record.setdefault("branch_context", self._branch)
        return bound.step(record)

    def _put_canonical(self, index: int, step_id: str, record: dict[str, Any]) -> None:
        bound = self._bound_for(record, None)
        stamps = self._calls.stamps(index)
        if stamps:
            _merge(record, "captured_versions", stamps)
        record = self._prepared(record, bound)
        raw = self._encode(record, "step_trace")
        slot = self._opened(index, self._steps.add(index, step_id))
        if stamps:
            self._calls.stamped(index)
            self._note_patched(slot, {"captured_versions"})
        if bound is not FREE:
            self._bind(index, slot, bound)
        self._emit_step(index, slot, record, raw)
        if slot.seen & EFFECTS:
            self._ledger.let_go(index)

    def _replace_canonical(self, index: int, slot: Slot, record: dict[str, Any]) -> None:
        bound = self._bound_for(record, slot)
        if slot.patched:
            _keep_patches(record, self._decoded(index), slot.patched)
        if slot.iteration_ids:
            record["step_iterations"] = slot.iterations
        record = self._prepared(record, bound)
        raw = self._encode(record, "step_trace")
        self._bind(index, slot, bound)
        self._emit_step(index, slot, record, raw)

    def _put_iteration(self, index: int, slot: Slot, step_id: str, record: dict[str, Any]) -> None:
        canonical = self._decoded(index)
        bound = self._bound_for(record, slot)
        record = self._prepared(record, bound)
        raw = self._encode(record, "step_trace")
        if bound.sensitive and not slot.sensitive:
            self._bind(index, slot, bound)
        if step_id not in (slot.iteration_ids or ()):
            self._steps.add_iteration(index, step_id)
            canonical["step_iterations"] = slot.iterations
            self._emit_step(index, slot, canonical, self._encode(canonical))
        self._costs.put((index, step_id), record.get("costs"))
        self._emit(Kind.STEP, raw, item=step_id, step_index=index)

    def _emit_step(self, index: int, slot: Slot, record: Mapping[str, Any], raw: bytes) -> None:
        self._costs.put(index, record.get("costs"))
        seq = self._emit(Kind.STEP, raw, item=slot.step_id, step_index=index)
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
        bound = self._bound_of(slot)
        if not bound.keeps(CaptureMode.TRACE):
            kept = bound.step(record)
            changed = {name: kept[name] for name in touched if name in kept}
            record = {**self._decoded(index), **changed}
        raw = self._encode(record, "step_trace")
        self._note_patched(slot, touched)
        self._emit_step(index, slot, record, raw)
        return index

    def _note_patched(self, slot: Slot, fields: set[str]) -> None:
        patched = slot.patched | fields
        # Few combinations occur: the steps of a long run share them.
        slot.patched = self._patch_sets.setdefault(patched, patched)

    def _recall_step(self, line: Recalled) -> None:
        index, record = line.step_index or 0, orjson.loads(line.data)
        slot = self._steps.slot(index)
        if slot is None:
            slot = self._opened(index, self._steps.add(index, line.item))
            self._calls.stamped(index)
        if slot.step_id != line.item:
            if line.item not in (slot.iteration_ids or ()):
                self._steps.add_iteration(index, line.item)
            self._costs.put((index, line.item), record.get("costs"))
            return
        # What was patched in is not told apart any more; all of it outlives a new record.
        self._note_patched(slot, set(_PATCHABLE))
        bound = self._bound_for(record, slot)
        slot.ceiling = None if bound.ceiling is self._ceiling else bound.ceiling
        self._costs.put(index, record.get("costs"))
        self._recall_subgoals(record)

    def _recall_subgoals(self, record: Mapping[str, Any]) -> None:
        for subgoal in record.get("subgoals_completed") or ():
            first = subgoal.get("first_completed_at_step") if isinstance(subgoal, dict) else None
            if isinstance(first, int):
                self._completed.setdefault(str(subgoal.get("subgoal_id")), first)


def _keep_patches(
    record: dict[str, Any], before: Mapping[str, Any], patched: frozenset[str]
) -> None:
    """Keep what was patched in, as far as the new record does not bring its own."""
    own_verdict = "verdict" in record
    for name in patched & before.keys():
        if name in _MERGED:
            _merge(record, name, before[name])
        elif not (name == "verdict_source" and own_verdict):
            record.setdefault(name, before[name])


def _merge(record: dict[str, Any], name: str, defaults: Any) -> None:
    own = record.get(name)
    if own is None:
        record[name] = defaults
    elif isinstance(own, Mapping) and isinstance(defaults, Mapping):
        record[name] = {**defaults, **own}
