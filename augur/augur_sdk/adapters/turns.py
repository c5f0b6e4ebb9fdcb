"""A turn of a logged run while it is being read: one response, and the steps that came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from augur_sdk.adapters.logged_message import LoggedMessage
from augur_sdk.replay.decision import point_of

__all__ = ["PendingStep", "Turn", "decision", "outcome"]


_ENLARGING: Final = frozenset({"zoom"})


@dataclass(slots=True)
class PendingStep:
    """An action whose results may still come."""

    index: int
    call_index: int
    action: dict[str, Any] | None
    raw: Mapping[str, Any]
    call_id: str | None
    pre: bytes | None
    post: bytes | None = None
    error: str | None = None
    ended_at: str | None = None

    @property
    def shows_a_part(self) -> bool:
        """Whether its result is a part of the screen, enlarged, and no state to go on from."""
        return self.action is not None and self.action["type"] in _ENLARGING

    @property
    def left_behind(self) -> bytes | None:
        """The screen as the next action of the same turn found it, where that is known."""
        return self.pre if self.shows_a_part else self.post


@dataclass(slots=True)
class Turn:
    """A response, the messages that led to it, and the steps that came of it."""

    index: int
    """The response's position in the log; -1 where actions came before any response."""
    message: Mapping[str, Any]
    facts: LoggedMessage
    at: str
    sent: list[dict[str, Any]] = field(default_factory=list)
    prompt_hash: str = ""
    steps: list[PendingStep] = field(default_factory=list)


def outcome(step: PendingStep, adapter: str) -> dict[str, Any]:
    """What the log says of how a step went, as fields of its record."""
    found: dict[str, Any] = {"ended_at": step.ended_at} if step.ended_at else {}
    if step.error is None:
        return found
    return found | {"status": "failed", "failure_class": f"{adapter}.tool_error"}


def decision(turn: Turn, step: PendingStep) -> dict[str, Any]:
    """The decision event of a step, without its time; it repeats no text that was typed."""
    detail: dict[str, Any] = {"turn_index": turn.index, "tool_call_index": step.call_index}
    detail |= {"call_id": step.call_id} if step.call_id else {}
    detail |= {"error": step.error} if step.error else {}
    kind, summary = _told(step)
    if step.action is None:
        detail["raw"] = dict(step.raw)
    return {"layer": "model", "kind": kind, "summary": summary, "detail": detail}


def _told(step: PendingStep) -> tuple[str, str]:
    if step.action is None:
        return "error", "an action without a usable type"
    point = point_of(step.action["params"])
    aimed = step.action["type"] + (f" at ({point[0]}, {point[1]})" if point else "")
    return ("error", f"{aimed} failed") if step.error else ("decision", aimed)
