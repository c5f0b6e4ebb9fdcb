"""What an operator can say, as it comes off the wire (contract/http.md).

Reading is tolerant: a field that is missing or odd costs that field, not the command, because a
kill that is refused for its form is worse than one with a strange form.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple, Self

import orjson

__all__ = [
    "COMMAND_TYPES",
    "HUMAN_OVERRIDE",
    "POLL_TIMEOUT",
    "Batch",
    "CommandType",
    "InterventionCommand",
    "read_batch",
]

HUMAN_OVERRIDE: Final = "human_override"
"""The provenance of coordinates that an operator gave; never mixed with grounder output."""

POLL_TIMEOUT: Final = 25.0
"""Seconds that one poll waits for a command; shorter than what proxies usually cut off."""


class CommandType(StrEnum):
    """The commands that mean something here; others are recorded and otherwise ignored."""

    PAUSE = "pause"
    RESUME = "resume"
    KILL = "kill"
    INJECT_HINT = "inject_hint"
    OVERRIDE_ACTION = "override_action"
    APPROVE = "approve"
    DENY = "deny"
    EDIT = "edit"


COMMAND_TYPES: Final = frozenset(member.value for member in CommandType)
"""The commands that mean something here, as plain words."""


@dataclass(frozen=True)
class InterventionCommand:
    """One command.

    Attributes:
        command_id: Tells repeats apart; made from the content where the server sent none.
        type: A `CommandType`, or whatever else the server said.
        issued_at: When, as the server put it.
        operator_id: Who, where known.
        payload: What belongs to the type: `text`, `coordinates`, `action_hash`, `action`.
    """

    command_id: str
    type: str
    issued_at: str = ""
    operator_id: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, raw: object) -> Self | None:
        """Read one command; None where nothing says what it commands."""
        if not isinstance(raw, Mapping) or not isinstance(raw.get("type"), str):
            return None
        given = raw.get("command_id", raw.get("id"))
        payload = raw.get("payload")
        operator = raw.get("operator_id")
        return cls(
            command_id=_identity(raw) if given in (None, "") else str(given),
            type=raw["type"].strip().lower(),
            issued_at=str(raw.get("issued_at") or ""),
            operator_id=None if operator is None else str(operator),
            payload=dict(payload) if isinstance(payload, Mapping) else {},
        )

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        """Read one command.

        Raises:
            ValueError: It does not say what it commands.
        """
        command = cls.parse(raw)
        if command is None:
            raise ValueError("a command has no type; expected one of " + ", ".join(CommandType))
        return command

    @property
    def text(self) -> str | None:
        """The hint, for `inject_hint`."""
        text = self.payload.get("text")
        return text if isinstance(text, str) and text else None

    @property
    def coordinates(self) -> dict[str, float] | None:
        """The point `{"x": ..., "y": ...}`, for `override_action`; None where it is no point."""
        point = self.payload.get("coordinates")
        if not isinstance(point, Mapping):
            return None
        x, y = _number(point.get("x")), _number(point.get("y"))
        return None if x is None or y is None else {"x": x, "y": y}


def _identity(raw: Mapping[Any, Any]) -> str:
    # The same command sent twice must be the same command; its time tells two alike apart.
    content = orjson.dumps(raw, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str)
    return f"sha256:{hashlib.sha256(content).hexdigest()[:24]}"


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value


class Batch(NamedTuple):
    """What one poll brought, and where the next one goes on."""

    commands: list[InterventionCommand]
    cursor: str | None


def read_batch(body: bytes, cursor: str | None) -> Batch | None:
    """Read the answer to a poll; None where it is not one.

    An empty body is the end of the server's hold time. Without a new cursor the old one stands.
    """
    if not body.strip():
        return Batch([], cursor)
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    listed = answer.get("commands") if isinstance(answer, dict) else answer
    if listed is not None and not isinstance(listed, list):
        return None
    following = answer.get("cursor") if isinstance(answer, dict) else None
    commands = [command for raw in listed or () if (command := InterventionCommand.parse(raw))]
    return Batch(commands, cursor if following is None else str(following))
