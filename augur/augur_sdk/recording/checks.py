"""Checks that a call makes at once: what cannot be understood is refused with a clear error."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping
from typing import Any, Final

from augur_sdk.errors import RecordError

__all__ = [
    "MAX_STEP_INDEX",
    "choice",
    "mapping",
    "number",
    "optional_step_index",
    "picture",
    "step_index",
    "string",
    "strings",
    "text",
    "unit_interval",
    "verdict",
]

MAX_STEP_INDEX: Final = 2**53 - 1
"""The largest integer that every JSON reader holds exactly."""

_PICTURES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")


def mapping(value: Any, what: str) -> dict[str, Any]:
    """Return a shallow copy of a mapping (or of a pydantic model's fields)."""
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, Mapping):
        return {str(key): item for key, item in value.items()}
    dump = getattr(value, "model_dump", None)
    if callable(dump) and not isinstance(value, type):
        return mapping(dump(exclude_none=True), what)
    raise RecordError(
        f"{what} is a {type(value).__name__}",
        expected="a dict",
        fix="Pass the record as a dict.",
        reason="wrong_type",
    )


def step_index(value: Any, what: str = "step_index") -> int:
    """Return a usable step index: a whole number from 0."""
    if type(value) is int and 0 <= value <= MAX_STEP_INDEX:
        return value
    if isinstance(value, bool) or value is None:
        raise _bad_index(what, value)
    try:
        index = operator.index(value)
    except TypeError:
        raise _bad_index(what, value) from None
    if not 0 <= index <= MAX_STEP_INDEX:
        raise RecordError(
            f"{what} is out of range",
            expected=f"a whole number from 0 to {MAX_STEP_INDEX}",
            reason="out_of_range",
        )
    return index


def _bad_index(what: str, value: Any) -> RecordError:
    return RecordError(
        f"{what} is a {type(value).__name__}",
        expected="a whole number from 0",
        fix="Number the steps of a run 0, 1, 2, ...",
        reason="missing" if value is None else "wrong_type",
    )


def _wrong_type(what: str, value: Any, expected: str) -> RecordError:
    return RecordError(
        f"{what} is a {type(value).__name__}", expected=expected, reason="wrong_type"
    )


def optional_step_index(value: Any, what: str = "step_index") -> int | None:
    """Return a usable step index, or None for a record of the whole run."""
    return None if value is None else step_index(value, what)


def text(value: Any, what: str) -> str:
    """Return a string that is not empty."""
    if isinstance(value, str) and value:
        return value
    given = "empty" if isinstance(value, str) else f"a {type(value).__name__}"
    reason = "missing" if value is None or value == "" else "wrong_type"
    raise RecordError(f"{what} is {given}", expected="a string that is not empty", reason=reason)


def string(value: Any, what: str) -> str:
    """Return a string, empty or not."""
    if isinstance(value, str):
        return value
    raise _wrong_type(what, value, "a string")


def strings(values: Any, what: str) -> list[str]:
    """Return a list of strings."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise _wrong_type(what, values, "a list of strings")
    return [string(value, f"a member of {what}") for value in values]


def choice(value: Any, what: str, allowed: Iterable[str]) -> str:
    """Return a member of a closed choice."""
    members = list(allowed)
    if isinstance(value, str) and value in members:
        return str(value)
    raise RecordError(
        f"{what} is not one of the known values",
        expected=" or ".join(members),
        reason="unknown_choice",
    )


def number(value: Any, what: str) -> int | float:
    """Return a finite number."""
    if isinstance(value, bool):
        raise _wrong_type(what, value, "a number")
    if isinstance(value, int):
        return int(value)
    try:
        real = float(value) if not isinstance(value, str | bytes) else None
    except (TypeError, ValueError, OverflowError):
        real = None
    if real is None:
        raise _wrong_type(what, value, "a number")
    if not math.isfinite(real):
        raise RecordError(f"{what} is not finite", expected="a number", reason="out_of_range")
    return real


def unit_interval(value: Any, what: str) -> float:
    """Return a number clamped to 0..1 (contract/records.md); infinities are clamped, too."""
    infinite = isinstance(value, float) and math.isinf(value)
    return min(1.0, max(0.0, float(value if infinite else number(value, what))))


def verdict(value: Any, what: str = "the verdict") -> dict[str, Any]:
    """Return a verdict as it is kept, its score clamped to 0..1; its status is an open word."""
    record = mapping(value, what)
    if record.get("status") is not None:
        record["status"] = string(record["status"], f"{what}'s status")
    for name in ("score", "uncertainty"):
        if record.get(name) is not None:
            record[name] = unit_interval(record[name], f"{what}'s {name}")
    return record


def picture(value: Any, what: str = "png_bytes") -> bytes:
    """Return the bytes of a PNG, JPEG or WebP picture, copied unless they are immutable."""
    if not isinstance(value, bytes | bytearray | memoryview):
        raise RecordError(
            f"{what} is a {type(value).__name__}",
            expected="the bytes of a PNG, JPEG or WebP picture",
            fix="Read the file, or encode the image, before attaching it.",
            reason="wrong_type",
        )
    data = bytes(value)
    is_webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    if not (data.startswith(_PICTURES) or is_webp):
        given = "empty" if not data else "not a picture of a known format"
        raise RecordError(
            f"{what} is {given}",
            expected="the bytes of a PNG, JPEG or WebP picture",
            reason="not_a_picture",
        )
    return data
