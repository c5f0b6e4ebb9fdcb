"""The ledger of side effects: declared before they happen, then committed or aborted."""

from __future__ import annotations

from typing import Any

import orjson

from augur_sdk.errors import RecordError
from augur_sdk.recording import checks
from augur_sdk.recording.bounded import EFFECTS, Bounded, Recalled
from augur_sdk.recording.ledger import INTENT
from augur_sdk.recording.settling import settled

__all__ = ["SideEffectRecording"]


class SideEffectRecording(Bounded):
    """The methods of the ledger."""

    @settled
    def declare_side_effect(
        self,
        step_index: int,
        resource: str,
        action: str,
        *,
        idempotency_key: str | None = None,
        reversibility: str = "irreversible",
        compensation_handle: str | None = None,
        provenance: str = "sdk_declared",
        side_effect_id: str | None = None,
        declared_at: str | None = None,
    ) -> str:
        """Declare an effect on the outside world, before it is dispatched.

        Returns only once the intent is stored: it stands in the ledger even if the process is
        killed right afterwards. May come before its step.

        Args:
            step_index: The step that causes it.
            resource: What is acted on, such as `orders/42`.
            action: What is done to it, such as `submit`.
            idempotency_key: The key given to the dispatcher.
            reversibility: `irreversible`, `reversible` or `compensated`.
            compensation_handle: How it can be undone.
            provenance: `sdk_declared`, `adapter_inferred` or `human_declared`.
            side_effect_id: An id of its own in the run; made up unless given.
            declared_at: When, ISO-8601; now unless given.

        Returns:
            The effect's id, for `commit_side_effect` or `mark_side_effect_aborted`.

        Raises:
            ValueError: An argument cannot be understood, or the id is in use.
            RuntimeError: The session is not open.
        """
        self._require_open("declare_side_effect")
        given = self.leniency.given(side_effect_id=side_effect_id).get("side_effect_id") or None
        if self.off:
            return given or self._ledger.fresh_id()
        index = checks.step_index(step_index)
        effect: dict[str, Any] = {
            "step_index": index,
            "resource": checks.string(resource, "resource"),
            "action": checks.string(action, "action"),
            **self.leniency.given(reversibility=reversibility, provenance=provenance),
            "status": INTENT,
            "declared_at": self._moment(declared_at, "declared_at"),
        }
        effect |= self.leniency.given(
            idempotency_key=idempotency_key, compensation_handle=compensation_handle
        )
        if given is not None and self._ledger.knows(given):
            raise RecordError(
                "a side effect was declared under this side_effect_id before",
                expected="an id of its own for each effect",
                fix="Leave it out to have one made.",
            )
        effect["side_effect_id"] = given if given is not None else self._ledger.fresh_id()
        self._enter(effect)
        return str(effect["side_effect_id"])

    def commit_side_effect(
        self,
        side_effect_id: str,
        observed_result: Any = None,
        *,
        committed_at: str | None = None,
    ) -> None:
        """Say that a declared effect happened.

        Args:
            side_effect_id: What `declare_side_effect` returned.
            observed_result: What the dispatcher returned, redacted when it is stored.
            committed_at: When, ISO-8601; now unless given.

        Raises:
            ValueError: No effect was declared under the id, or it is committed or aborted already.
            RuntimeError: The session is not open.
        """
        self._require_open("commit_side_effect")
        if self._is_off_for(side_effect_id):
            return
        effect = self._ledger.pending(side_effect_id)
        effect["status"] = "committed"
        effect["committed_at"] = self._moment(committed_at, "committed_at")
        effect["observed_result"] = orjson.loads(self._encode(observed_result))
        self._enter(effect)

    def mark_side_effect_aborted(
        self, side_effect_id: str, reason: str, *, aborted_at: str | None = None
    ) -> None:
        """Say that a declared effect did not happen, and will not.

        Args:
            side_effect_id: What `declare_side_effect` returned.
            reason: Why.
            aborted_at: When, ISO-8601; now unless given.

        Raises:
            ValueError: No effect was declared under the id, or it is committed or aborted already.
            RuntimeError: The session is not open.
        """
        self._require_open("mark_side_effect_aborted")
        if self._is_off_for(side_effect_id):
            return
        effect = self._ledger.pending(side_effect_id)
        self._abort(effect, checks.string(reason, "reason"), aborted_at)

    def abort_pending_side_effects(self, reason: str) -> list[str]:
        """Say that no declared effect that is neither committed nor aborted will happen.

        Args:
            reason: Why.

        Returns:
            The ids of those that were aborted now, in the order in which they were declared.

        Raises:
            ValueError: `reason` is not a string.
            RuntimeError: The session is not open.
        """
        self._require_open("abort_pending_side_effects")
        why = checks.string(reason, "reason")
        aborted = []
        for effect in self._ledger.all_pending():
            self._abort(effect, why, None)
            aborted.append(str(effect["side_effect_id"]))
        return aborted

    def _abort(self, effect: dict[str, Any], reason: str, aborted_at: str | None) -> None:
        effect["status"] = "aborted"
        effect["aborted_at"] = self._moment(aborted_at, "aborted_at")
        effect["abort_reason"] = reason
        self._enter(effect)

    def _enter(self, effect: dict[str, Any], *, news: bool = True) -> None:
        """Put an effect's new state into the ledger."""
        index = effect["step_index"]
        slot = self._steps.slot(index)
        if slot is not None:
            effect["step_id"] = slot.step_id
        self._emit_effect(effect, news=news)
        self._saw(index, EFFECTS)
        self._ledger.keep(effect)
        if slot is not None:
            self._ledger.let_go(index)

    def _settle(self) -> None:
        """Name the steps of the effects that were never decided, where they are known by now."""
        super()._settle()
        for effect in self._ledger.all_pending():
            slot = self._steps.slot(effect["step_index"])
            if slot is not None and effect.get("step_id") != slot.step_id:
                self._enter(effect, news=False)

    def _is_off_for(self, side_effect_id: str) -> bool:
        # Effects that were declared before the mode went down still come to their end.
        return self.off and not self._ledger.knows(str(side_effect_id))

    def _moment(self, given: str | None, what: str) -> str:
        return self._now() if given is None else str(self.leniency.judged(what, given))

    def _recall_side_effect(self, line: Recalled) -> None:
        effect: dict[str, Any] = orjson.loads(line.data)
        self._saw(line.step_index, EFFECTS)
        self._ledger.recalled(effect, line.path)
        self._ledger.keep(effect)
        if effect["step_index"] in self._steps:
            self._ledger.let_go(effect["step_index"])
