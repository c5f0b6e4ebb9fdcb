"""What one message of a log says, in this package's words, whichever vendor wrote it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from augur_sdk.adapters.plain import objects_in, text_in

__all__ = ["LoggedMessage", "Note", "Picture", "Result", "read_message", "time_in"]


@dataclass(frozen=True, slots=True)
class Picture:
    """A screenshot that a message brings."""

    data: bytes | None
    """None for a picture that stands elsewhere or cannot be decoded."""
    call_id: str | None = None
    """The tool call that it answers; None for one that the user sent unasked."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a tool call ended, where the log says so."""

    call_id: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something about a call worth a decision event of its own."""

    kind: str
    layer: str
    summary: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    call_id: str | None = None


@dataclass(frozen=True, slots=True)
class LoggedMessage:
    """One message: a model's response, or what went to the model before its next one."""

    is_response: bool
    text: str = ""
    at: datetime.datetime | None = None
    call_ids: tuple[str, ...] = ()
    """Of a response: the id of the call that each action belongs to, by `tool_call_index`."""
    pictures: tuple[Picture, ...] = ()
    results: tuple[Result, ...] = ()
    notes: tuple[Note, ...] = ()


def read_message(message: Mapping[str, Any]) -> LoggedMessage:
    """Read what the vendors' formats have in common: role, text and time."""
    return LoggedMessage(
        is_response=message.get("role") == "assistant" or "output" in message,
        text=_text(message),
        at=time_in(message),
    )


def time_in(message: Mapping[str, Any]) -> datetime.datetime | None:
    """When a message was written, in UTC, where it says so.

    Looks at `timestamp`, `ts`, `completed_at` and `created_at`: ISO-8601, or seconds since 1970. A
    time without a zone is taken as UTC.
    """
    names = ("timestamp", "ts", "completed_at", "created_at")
    moments = (_moment(message.get(name)) for name in names)
    return next((moment for moment in moments if moment is not None), None)


def _text(message: Mapping[str, Any]) -> str:
    if "output" in message:
        items = (i for i in objects_in(message["output"]) if i.get("type", "message") == "message")
        return "\n".join(text for item in items if (text := text_in(item.get("content"))))
    return text_in(message.get("content"))


def _moment(value: Any) -> datetime.datetime | None:
    try:
        if isinstance(value, str):
            moment = datetime.datetime.fromisoformat(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            moment = datetime.datetime.fromtimestamp(value, datetime.UTC)
        else:
            return None
        aware = moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
        return aware.astimezone(datetime.UTC)
    except (ValueError, OverflowError, OSError):
        return None
