"""An approval point, from the question to the permit, in both colours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, get_args

from augur_sdk.errors import RecordError
from augur_sdk.intervention.approval import (
    ApprovalBook,
    ApprovalRequest,
    GatePolicy,
    Permit,
    Reversibility,
)
from augur_sdk.intervention.events import pending_event, settled_event
from augur_sdk.intervention.gate import Gate
from augur_sdk.intervention.waiting import wait, wait_blocking

__all__ = ["ApprovalPoint"]

RecordEvent = Callable[[dict[str, Any]], object]


class ApprovalPoint:
    """One passage of one action; use it once.

    Args:
        gate: The run's gate.
        policy: What to do by reversibility, and when nobody answers.
        record_event: Records a decision event of the run; must not wait.
        action: What would be done.
        reversibility: `irreversible`, `reversible` or `compensated`.
        step_index: The step it belongs to.
        key: The caller's own name for this one occasion.

    Raises:
        ValueError: `reversibility` is none of the three.
    """

    def __init__(
        self,
        gate: Gate,
        policy: GatePolicy,
        record_event: RecordEvent,
        action: Any,
        *,
        reversibility: Reversibility = "irreversible",
        step_index: int | None = None,
        key: str | None = None,
    ) -> None:
        if reversibility not in get_args(Reversibility):
            expected = ", ".join(get_args(Reversibility))
            raise RecordError("the reversibility is not known", expected=f"one of {expected}")
        self._gate = gate
        self._policy = policy
        self._record = record_event
        self._reversibility: Reversibility = reversibility
        self._request = gate.ask(action, step_index=step_index, key=key)

    async def passed(self) -> Permit:
        """Wait for the permit on the running event loop.

        Raises:
            RunKilled: The operator ended the run.
        """
        await wait(self._gate, self._gate.ready)
        permit = self._at_once()
        if permit is not None:
            return self._settled(permit)
        try:
            answer = partial(self._gate.answer, self._request)
            return self._settled(await wait(self._gate, answer, self._policy.timeout))
        finally:
            self._gate.withdraw(self._request)

    def passed_blocking(self) -> Permit:
        """Wait for the permit on the calling thread.

        Raises:
            RunKilled: The operator ended the run.
        """
        wait_blocking(self._gate, self._gate.ready)
        permit = self._at_once()
        if permit is not None:
            return self._settled(permit)
        try:
            answer = partial(self._gate.answer, self._request)
            return self._settled(wait_blocking(self._gate, answer, self._policy.timeout))
        finally:
            self._gate.withdraw(self._request)

    def _at_once(self) -> Permit | None:
        """The permit where nobody has to be asked; otherwise the question is posted."""
        request = self._request
        known = self._gate.answer(request)
        if known is not None:
            return known
        said = self._policy.disposition(self._reversibility, attended=self._gate.attended)
        if said != "ask":
            return ApprovalBook.permit(request, said, self._why(said))
        self._gate.post(request)
        self._record(pending_event(request, self._reversibility, datetime.now(UTC)))
        return None

    def _why(self, said: str) -> str:
        unattended = getattr(self._policy, self._reversibility) == "ask"
        cause = "no operator is bound" if unattended else "policy"
        return f"{said} for {self._reversibility} actions: {cause}"

    def _settled(self, permit: Permit | None) -> Permit:
        request: ApprovalRequest = self._request
        if permit is None:
            outcome = self._policy.on_timeout
            permit = ApprovalBook.permit(request, outcome, "no operator answered in time")
        self._record(settled_event(request, permit, datetime.now(UTC)))
        return permit
