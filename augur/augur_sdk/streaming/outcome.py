"""What can come of sending a request: an answer, or one of a closed set of troubles."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Answer", "Failure", "Outcome", "Trouble"]


class Trouble(StrEnum):
    """Why there was no answer."""

    UNREACHABLE = "unreachable"
    """The host has no address, or refuses the connection."""
    TIMED_OUT = "timed_out"
    """Connecting, writing or waiting for the answer took too long."""
    BROKEN = "broken"
    """The connection broke, or what came back is not HTTP."""
    TLS = "tls"
    """The certificates do not fit."""
    PROXY = "proxy"
    """The proxy refused."""
    BUSY = "busy"
    """No connection became free; the client is rebuilt."""
    UNREADABLE = "unreadable"
    """The file to be sent is gone, or changed while it was sent."""
    MISCONFIGURED = "misconfigured"
    """Certificates or proxy settings in the environment cannot be used."""
    UNEXPECTED = "unexpected"
    """Anything else; the type is logged at debug level, never the message."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer's status, the two headers that decisions need, and the body where asked for."""

    status: int
    retry_after: str = ""
    date: str = ""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer."""

    trouble: Trouble


Outcome = Answer | Failure
