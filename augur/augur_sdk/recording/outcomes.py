"""Outcomes, what they cost, and steps worth a regression test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from augur_sdk.bundle import layout
from augur_sdk.capture import CaptureMode
from augur_sdk.entry import Kind
from augur_sdk.recording import bounds, checks
from augur_sdk.recording.costs import COST_FIELDS
from augur_sdk.recording.steps import StepRecording

__all__ = ["OutcomeRecording"]

_VERDICT: Final = ("status", "reason", "score")


class OutcomeRecording(StepRecording):
    """The methods that say how a step or the run ended."""

    def mark_for_eval(
        self, step_index: int, reason: str, *, candidate_cluster_id: str | None = None
    ) -> None:
        """Tag a step as worth a regression test; the latest tag of a step counts.

        Args:
            step_index: The step; it may be recorded later.
            reason: Why.
            candidate_cluster_id: The group of similar failures that it belongs to.

        Raises:
            ValueError: No usable `step_index`, or a value of a wrong type.
            RuntimeError: The session is not open.
        """
        self._require_open("mark_for_eval")
        if self.off:
            return
        index = checks.step_index(step_index)
        candidate: dict[str, Any] = {
            "step_index": index,
            "reason": checks.string(reason, "reason"),
            "tagged_at": self._now(),
        }
        candidate |= self.leniency.given(candidate_cluster_id=candidate_cluster_id)
        if not self._bound_at(index).keeps(CaptureMode.TRACE):
            candidate = bounds.eval_candidate(candidate)
        self._emit(
            Kind.EVAL_CANDIDATE,
            self._encode(candidate, "eval_candidate"),
            path=layout.EVAL_CANDIDATES,
            item=str(index),
            step_index=index,
        )

    def finalize_outcome(
        self,
        *,
        scope: str = "session",
        step_index: int | None = None,
        verdict: dict[str, Any] | None = None,
        task_class: str | None = None,
        cost_summary: dict[str, int | float] | None = None,
    ) -> dict[str, Any]:
        """Record how a step or the run ended, and what it cost, in one record.

        Without `cost_summary` a step's outcome takes the step's costs, and the session's the sum
        over all steps, in which the dimensions given to `set_costs` replace the sum's. Without
        `verdict` a step's outcome takes the step's. The latest outcome of a step, and of the
        session, counts.

        Args:
            scope: `session`, or `step`.
            step_index: The step, with `scope="step"`.
            verdict: `{"status": ..., "reason": ..., "score": ...}`.
            task_class: A free-form class, such as `web.search`.
            cost_summary: The costs, by the names of `set_costs`.

        Returns:
            The record, before redaction.

        Raises:
            ValueError: No step stands at `step_index`, or an argument cannot be understood.
            RuntimeError: The session is not open.
        """
        self._require_open("finalize_outcome")
        of_step = self.leniency.judged("scope", scope) == "step"
        index = self._outcome_step(of_step, step_index)
        step = self._decoded(index) if of_step and index is not None and not self.off else {}
        given = checks.verdict(verdict) if verdict is not None else _verdict_of(step)
        costs: Any = step.get("costs") if of_step else self._rolled_up()
        if cost_summary is not None:
            costs = self._summary(cost_summary)
        optional = {
            "step_index": index,
            **self.leniency.given(task_class=task_class),
            "verdict": given or None,
            "cost_summary": costs or None,
        }
        record = {
            "scope": scope,
            **{name: value for name, value in optional.items() if value is not None},
            "finalized_at": self._now(),
        }
        if not self.off:
            self._emit_outcome(record, index)
        return record

    def successful_task_cost_summary(self) -> dict[str, int | float] | None:
        """What the run has cost so far, as `finalize_outcome` sums it up.

        Returns:
            The sum over all steps, in which the dimensions given to `set_costs` replace the
            sum's; None when no costs were recorded.

        Raises:
            RuntimeError: The session was never opened.
        """
        return self._rolled_up() or None

    def _outcome_step(self, of_step: bool, step_index: int | None) -> int | None:
        if not of_step:
            if step_index is not None:
                self.leniency.odd("an outcome of the session was given a step_index")
            return checks.optional_step_index(step_index)
        index = checks.step_index(step_index)
        if not self.off:
            self._slot_at(index)
        return index

    def _emit_outcome(self, record: dict[str, Any], index: int | None) -> None:
        if not self._bound_at(index).keeps(CaptureMode.TRACE):
            record = bounds.outcome(record)
        raw = self._encode(record, "outcome_record")
        item = "session" if record["scope"] == "session" else f"step:{index}"
        self._emit(Kind.OUTCOME, raw, path=layout.OUTCOMES, item=item, step_index=index)

    def _summary(self, costs: Any) -> dict[str, Any]:
        given = checks.mapping(costs, "cost_summary")
        known = {name: given[name] for name in COST_FIELDS if name in given}
        return {**given, **self.leniency.given(**known)}

    def _rolled_up(self) -> dict[str, int | float]:
        return {**self._costs.total(), **self._session.get("costs", {})}


def _verdict_of(step: Mapping[str, Any]) -> dict[str, Any]:
    verdict = step.get("verdict")
    if not isinstance(verdict, Mapping):
        return {}
    return {name: verdict[name] for name in _VERDICT if name in verdict}
