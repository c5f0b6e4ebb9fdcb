"""Reading the constructor's arguments: what they mean, and what is wrong with them."""

from __future__ import annotations

import logging
import os
import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

from augur_sdk.capture import CAPTURE_MODE_VARIABLE, CaptureMode
from augur_sdk.errors import RecordError
from augur_sdk.recording import checks

__all__ = [
    "client",
    "leaves_at_once",
    "mode_chosen",
    "optional",
    "say_when_off",
    "session_id",
    "switch",
    "tags",
]

logger: logging.Logger = logging.getLogger("augur_sdk")

AT_ONCE: Final = "at_once"
_YES: Final = frozenset({"1", "true", "yes", "on"})
_NO: Final = frozenset({"", "0", "false", "no", "off"})

_SESSION_ID: Final = re.compile(r"dbg_[A-Za-z0-9_\-]+")


def session_id(given: Any) -> str:
    """The id that was given, or a new one."""
    if given is None:
        return f"dbg_{uuid.uuid4().hex[:12]}"
    if isinstance(given, str) and _SESSION_ID.fullmatch(given):
        return given
    raise RecordError("debug_session_id is malformed", expected="dbg_ and letters, digits, _ or -")


def client(name: str, version: str | None, git_sha: str | None) -> dict[str, str]:
    """The client as the session record names it."""
    optional = {"version": version, "git_sha": git_sha}
    return {
        "name": checks.text(name, "client_name"),
        **{key: str(value) for key, value in optional.items() if value is not None},
    }


def tags(given: Mapping[str, Any] | None) -> dict[str, str]:
    """Tags as strings."""
    pairs = checks.mapping(given, "tags") if given is not None else {}
    return {str(key): str(value) for key, value in pairs.items()}


def optional(given: str | None, what: str) -> str | None:
    """A string, or None."""
    return None if given is None else checks.string(given, what)


def switch(given: bool | None, variable: str) -> bool:
    """What was passed, else what an environment variable says."""
    if given is not None:
        return bool(given)
    word = os.environ.get(variable, "").strip().lower()
    if word not in _YES | _NO:
        logger.warning("%s is none of 1, true, yes, on, 0, false, no, off: it is off", variable)
    return word in _YES


def mode_chosen(given: CaptureMode | str | None) -> bool:
    """Whether anybody chose a capture mode, in code or in the environment."""
    return given is not None or bool(os.environ.get(CAPTURE_MODE_VARIABLE, "").strip())


def leaves_at_once(live: str | None) -> bool:
    """Whether what belongs to a step leaves before the step is known."""
    if live in {None, AT_ONCE}:
        return live == AT_ONCE
    raise RecordError("live is neither", expected=f"None or {AT_ONCE!r}")


_said_off = False
"""Said once a process: nobody reads the same hint twice."""


def say_when_off(mode: CaptureMode, chosen: CaptureMode | str | None) -> None:
    """Say, once, that nothing is recorded because nobody chose a capture mode."""
    global _said_off
    if mode is CaptureMode.OFF and not mode_chosen(chosen) and not _said_off:
        _said_off = True
        logger.warning(
            "capture_mode is off because nobody chose one: this session records nothing. Pass "
            "capture_mode='screenshots' (or another mode), or set %s.",
            CAPTURE_MODE_VARIABLE,
        )
