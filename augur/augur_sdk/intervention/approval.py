"""Approvals: an operator's word on one exact action, good for once; pure.

| state of a request | approve | deny | edit | taken by the agent |
|---|---|---|---|---|
| pending | allowed | denied | allowed, as edited | waits |
| allowed, denied | - | - | - | forgotten; the next request asks anew |
| committed | - | - | - | answered `done`, every time |

A command settles a request only when it names the hash of the request's exact action, and its
id where it names one. The id follows from what is asked (the step, the action, how often it was
asked there), so that a resumed run asks the same question under the same id. A decision that
comes while nobody asks for it is dropped: a second click must not approve the next action.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import orjson

from augur_sdk.intervention.command import CommandType, InterventionCommand

__all__ = ["ApprovalBook", "ApprovalRequest", "GatePolicy", "Permit", "action_hash"]

Disposition = Literal["allow", "deny", "ask"]
Reversibility = Literal["irreversible", "reversible", "compensated"]


@dataclass(frozen=True)
class GatePolicy:
    """What an approval point does, by how an action can be undone.

    Attributes:
        irreversible: For what cannot be undone.
        compensated: For what can be made good by another action.
        reversible: For what can be undone.
        unattended: What `ask` means when no operator can answer.
        timeout: Seconds that an operator has; None waits for as long as it takes.
        on_timeout: What stands when the time is over.
    """

    irreversible: Disposition = "ask"
    compensated: Disposition = "allow"
    reversible: Disposition = "allow"
    unattended: Literal["allow", "deny"] = "deny"
    timeout: float | None = None
    on_timeout: Literal["allow", "deny"] = "deny"

    def disposition(self, reversibility: Reversibility, *, attended: bool) -> Disposition:
        """What to do with an action."""
        said: Disposition = getattr(self, reversibility)
        return self.unattended if said == "ask" and not attended else said


class ApprovalRequest(NamedTuple):
    """One question: may this exact action be done?"""

    approval_id: str
    action_hash: str
    action: Any
    step_index: int | None = None


@dataclass(frozen=True)
class Permit:
    """The answer to an approval point.

    Attributes:
        outcome: `allow`, `deny`, or `done` when the action's effect was committed before, by this
            process or by one that this run resumes: it must not be done again.
        action: The action to do: the one asked about, or as the operator edited it.
        approval_id: Pass it as `idempotency_key` to `declare_side_effect`, so that the effect is
            known to be done once it is committed.
        edited: Whether the operator changed the action.
        operator_id: Who decided; None where the policy did.
        reason: Why not, or what decided.
        observed_result: For `done`, what the commit recorded.
    """

    outcome: Literal["allow", "deny", "done"]
    action: Any
    approval_id: str
    edited: bool = False
    operator_id: str | None = None
    reason: str = ""
    observed_result: Any = None

    @property
    def allowed(self) -> bool:
        """Whether to do the action now."""
        return self.outcome == "allow"


def action_hash(action: Any, secret: bytes = b"") -> str:
    """The keyed hash of an action's exact content, in hex.

    The key keeps somebody who sees the hash from finding out a short text that was typed.
    """
    from augur_sdk.recording.snapshot import snapshot

    encoded, _ = snapshot(action)
    canonical = orjson.dumps(orjson.loads(encoded), option=orjson.OPT_SORT_KEYS)
    return hmac.new(secret, canonical, hashlib.sha256).hexdigest()


_ID_LENGTH: Final = 24


class ApprovalBook:
    """Every request of a run, from question to answer. Not thread-safe: the gate's lock guards it.

    Args:
        run_id: Part of each request's id.
        secret: The key of the hashes; the same for a run and its resumption.
    """

    def __init__(self, run_id: str, secret: bytes = b"") -> None:
        self._run_id = run_id
        self._secret = secret
        self._asked: dict[tuple[int | None, str], int] = {}
        self._pending: dict[str, ApprovalRequest] = {}
        self._decided: dict[str, tuple[str, InterventionCommand]] = {}
        self._committed: dict[str, Any] = {}

    @property
    def pending(self) -> list[ApprovalRequest]:
        """The questions that wait for an operator, oldest first."""
        return list(self._pending.values())

    def request(
        self, action: Any, *, step_index: int | None = None, key: str | None = None
    ) -> ApprovalRequest:
        """Make the question for an action.

        Args:
            action: What would be done.
            step_index: The step it belongs to; tells it apart from the same action elsewhere.
            key: The caller's own name for this one occasion, instead of counting occasions.
        """
        digest = action_hash(action, self._secret)
        occasion = key
        if occasion is None:
            count = self._asked[step_index, digest] = self._asked.get((step_index, digest), 0) + 1
            occasion = f"#{count}"
        name = orjson.dumps([self._run_id, step_index, digest, occasion])
        approval_id = f"apr_{hashlib.sha256(name).hexdigest()[:_ID_LENGTH]}"
        return ApprovalRequest(approval_id, digest, action, step_index)

    def post(self, request: ApprovalRequest) -> None:
        """Let a question wait for an operator."""
        self._pending[request.approval_id] = request

    def withdraw(self, request: ApprovalRequest) -> None:
        """Forget a question."""
        self._pending.pop(request.approval_id, None)

    def decide(self, command: InterventionCommand) -> bool:
        """Take in approve, deny or edit; False when it settles nothing."""
        request = self._addressed(command)
        if request is None or (command.type == CommandType.EDIT and not self._edit(command)):
            return False
        self._decided[request.approval_id] = (request.action_hash, command)
        return True

    def _addressed(self, command: InterventionCommand) -> ApprovalRequest | None:
        digest = str(command.payload.get("action_hash", ""))
        named = command.payload.get("approval_id")
        for request in self._pending.values():
            exact = hmac.compare_digest(request.action_hash.encode(), digest.encode())
            if exact and named in (None, request.approval_id) and not self.is_decided(request):
                return request
        return None

    def is_decided(self, request: ApprovalRequest) -> bool:
        """Whether an answer waits for whoever asked."""
        return request.approval_id in self._decided

    @staticmethod
    def _edit(command: InterventionCommand) -> bool:
        return isinstance(command.payload.get("action"), Mapping)

    def take(self, request: ApprovalRequest) -> Permit | None:
        """Hand out the answer, once; None while there is none."""
        if request.approval_id in self._committed:
            result = self._committed[request.approval_id]
            return self.permit(request, "done", "committed before", observed_result=result)
        digest, command = self._decided.get(request.approval_id, ("", None))
        if command is None or digest != request.action_hash:
            return None
        del self._decided[request.approval_id]
        self.withdraw(request)
        return self._answer(request, command)

    def _answer(self, request: ApprovalRequest, command: InterventionCommand) -> Permit:
        edited = command.type == CommandType.EDIT
        denied = command.type == CommandType.DENY
        return self.permit(
            request,
            "deny" if denied else "allow",
            str(command.payload.get("reason") or f"{command.type} by the operator"),
            action=dict(command.payload["action"]) if edited else request.action,
            edited=edited,
            operator_id=command.operator_id,
        )

    @staticmethod
    def permit(
        request: ApprovalRequest,
        outcome: Literal["allow", "deny", "done"],
        reason: str,
        **more: Any,
    ) -> Permit:
        """The permit that answers a request."""
        fields = {"action": request.action, "approval_id": request.approval_id, **more}
        return Permit(outcome, reason=reason, **fields)

    def committed(self, approval_id: str, observed_result: Any = None) -> None:
        """An effect declared under this id was committed; it is never allowed again."""
        self._committed[approval_id] = observed_result

    def restore(self, approval_id: str, digest: str, command: InterventionCommand) -> None:
        """Bring back a decision that an earlier process received and did not hand out."""
        self._decided[approval_id] = (digest, command)
