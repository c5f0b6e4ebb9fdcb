"""What rules ask of one step record, whoever wrote it: nothing here trusts a field's type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = [
    "action_type",
    "any_failure_class",
    "failed",
    "failure_class",
    "has_failure_class",
    "is_click",
    "meant_to_change",
    "object_of",
    "text_of",
    "troubled",
    "verdict_blames_no_change",
    "verdict_status",
]

Step = Mapping[str, Any]

_CHANGING: Final = frozenset(
    {
        "check", "drag", "drag_to", "fill", "goto", "hotkey", "input", "input_text", "key",
        "keypress", "left_click_drag", "long_press", "navigate", "open", "open_url", "press",
        "scroll", "select", "select_option", "submit", "swipe", "tap", "type", "type_text",
        "uncheck", "write",
    }
)  # fmt: skip
_NO_CHANGE: Final = re.compile(
    r"no[_ -](?:state|visible|screen|ui|page)[_ -]?(?:change|effect)|no (?:change|effect)\b"
    r"|nothing (?:changed|happened)|(?:did not|didn't|has not|hasn't) changed?|unchanged",
    re.IGNORECASE,
)


def object_of(record: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A nested record; empty when it is absent or something else."""
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def text_of(record: Mapping[str, Any], name: str) -> str:
    """A text field; empty when it is absent or something else."""
    value = record.get(name)
    return value if isinstance(value, str) else ""


def action_type(step: Step) -> str:
    """The action's type, lower-cased; empty when there is none."""
    return text_of(object_of(step, "action"), "type").strip().lower()


def is_click(step: Step) -> bool:
    """Whether the action presses a pointer at one place."""
    kind = action_type(step)
    return ("click" in kind and "drag" not in kind) or kind in {"tap", "long_press"}


def meant_to_change(step: Step) -> bool:
    """Whether the action is of a kind that is taken in order to change the screen."""
    return is_click(step) or action_type(step) in _CHANGING


def verdict_status(step: Step) -> str:
    """The verdict's status; empty when there is no verdict."""
    return text_of(object_of(step, "verdict"), "status")


def failed(step: Step) -> bool:
    """Whether the step or its verdict says that it failed."""
    return step.get("status") == "failed" or verdict_status(step) == "failed"


def troubled(step: Step) -> bool:
    """Whether the step failed or was recoverable."""
    return failed(step) or verdict_status(step) == "recoverable"


def failure_class(step: Step) -> str:
    """The failure class as recorded; empty when there is none."""
    return text_of(step, "failure_class")


def has_failure_class(step: Step, name: str) -> bool:
    """Whether the failure class is `name`, or an adapter's own form of it (`mantis.<name>`)."""
    return failure_class(step).rpartition(".")[2] == name


def any_failure_class(step: Step, names: frozenset[str]) -> bool:
    """Whether the failure class is one of `names`, with or without an adapter's prefix."""
    return failure_class(step).rpartition(".")[2] in names


def verdict_blames_no_change(step: Step) -> bool:
    """Whether the verdict is recoverable because the screen stayed as it was."""
    verdict = object_of(step, "verdict")
    return verdict.get("status") == "recoverable" and bool(
        _NO_CHANGE.search(text_of(verdict, "reason"))
    )
