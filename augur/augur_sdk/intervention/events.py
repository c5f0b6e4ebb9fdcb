"""What an operator did, as decision events of the run; written and read back (contract/records.md).

| detail | says |
|---|---|
| `command`, `command_id`, ... | a command arrived |
| `approval` with state `pending` | an approval point waits for an operator |
| `approval` with another state | it was answered, and the answer was handed to the agent |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from augur_sdk.intervention.approval import ApprovalRequest, Permit
from augur_sdk.intervention.command import HUMAN_OVERRIDE, CommandType, InterventionCommand
from augur_sdk.intervention.gate import Gate
from augur_sdk.times import utc_text

__all__ = ["Restored", "command_event", "pending_event", "restore", "settled_event"]

PENDING: Final = "pending"


def command_event(command: InterventionCommand, now: datetime) -> dict[str, Any]:
    """The event that says that a command arrived."""
    detail: dict[str, Any] = {
        "command": command.type,
        "command_id": command.command_id,
        "issued_at": command.issued_at,
        "operator_id": command.operator_id,
        "payload": dict(command.payload),
    }
    if command.type == CommandType.OVERRIDE_ACTION:
        detail["provenance"] = HUMAN_OVERRIDE
    return _event(f"operator command: {command.type}", "info", detail, now)


def pending_event(request: ApprovalRequest, reversibility: str, now: datetime) -> dict[str, Any]:
    """The event that asks an operator."""
    detail = {
        "approval": {**_identity(request.approval_id, request.action_hash), "state": PENDING},
        "reversibility": reversibility,
        "action": request.action,
    }
    return _event("approval pending", "decision", detail, now, request.step_index)


def settled_event(request: ApprovalRequest, permit: Permit, now: datetime) -> dict[str, Any]:
    """The event that says what came of an approval point."""
    detail = {
        "approval": {
            **_identity(request.approval_id, request.action_hash),
            "state": permit.outcome,
        },
        "edited": permit.edited,
        "operator_id": permit.operator_id,
        "reason": permit.reason,
        "action": permit.action if permit.edited else None,
    }
    return _event(f"approval: {permit.outcome}", "decision", detail, now, request.step_index)


def _identity(approval_id: str, action_hash: str) -> dict[str, Any]:
    return {"approval_id": approval_id, "action_hash": action_hash}


def _event(
    summary: str,
    kind: str,
    detail: Mapping[str, Any],
    now: datetime,
    step_index: int | None = None,
) -> dict[str, Any]:
    event: dict[str, Any] = {
        "ts": utc_text(now),
        "layer": "runner",
        "kind": kind,
        "summary": summary,
        "detail": {name: value for name, value in detail.items() if value not in (None, "", {})},
    }
    if step_index is not None:
        event["step_index"] = step_index
    return event


@dataclass
class Restored:
    """What an earlier process of the same run had heard from its operator."""

    seen: list[str] = field(default_factory=list)


_STANDING: Final = frozenset({CommandType.PAUSE, CommandType.RESUME, CommandType.KILL})


def restore(
    gate: Gate, events: Iterable[Mapping[str, Any]], effects: Iterable[Mapping[str, Any]]
) -> Restored:
    """Bring a resumed run's gate to where it stood.

    A pause or a kill stands. A decision that was not handed out answers the same question when it
    is asked again, except an edit, whose action was redacted on its way to the disk. An effect
    that was committed under an approval's id answers `done`; one that was only declared may or
    may not have happened, so its approval is asked for again. Hints and overrides are not
    repeated.

    Args:
        gate: The new process's gate.
        events: The run's decision events, in order.
        effects: Its side effects, each in its latest state.

    Returns:
        The ids of the commands that were carried out, for the poller's `seen`.
    """
    restored = Restored()
    asked: dict[str, str] = {}
    decided: dict[str, InterventionCommand] = {}
    for event in events:
        detail = event.get("detail")
        if not isinstance(detail, Mapping):
            continue
        _replay_approval(detail.get("approval"), asked, decided)
        command = _command(detail)
        if command is not None:
            restored.seen.append(command.command_id)
            _replay_command(gate, command, asked, decided)
    _replay_effects(gate, effects, decided)
    for approval_id, command in decided.items():
        gate.restore_decision(approval_id, asked[approval_id], command)
    return restored


def _command(detail: Mapping[str, Any]) -> InterventionCommand | None:
    return InterventionCommand.parse({**detail, "type": detail.get("command")})


def _replay_approval(
    approval: object, asked: dict[str, str], decided: dict[str, InterventionCommand]
) -> None:
    if not isinstance(approval, Mapping):
        return
    approval_id = str(approval.get("approval_id"))
    if approval.get("state") == PENDING:
        asked[approval_id] = str(approval.get("action_hash"))
    else:
        asked.pop(approval_id, None)
        decided.pop(approval_id, None)


def _replay_command(
    gate: Gate,
    command: InterventionCommand,
    asked: Mapping[str, str],
    decided: dict[str, InterventionCommand],
) -> None:
    if command.type in _STANDING:
        gate.apply(command)
    elif command.type in {CommandType.APPROVE, CommandType.DENY}:
        for approval_id, digest in asked.items():
            named = command.payload.get("approval_id") in (None, approval_id)
            if named and command.payload.get("action_hash") == digest:
                decided.setdefault(approval_id, command)
                return


def _replay_effects(
    gate: Gate, effects: Iterable[Mapping[str, Any]], decided: dict[str, InterventionCommand]
) -> None:
    for effect in effects:
        key = effect.get("idempotency_key")
        if not isinstance(key, str):
            continue
        if effect.get("status") == "committed":
            gate.committed(key, effect.get("observed_result"))
        decided.pop(key, None)
