"""Checks that a call makes at once: what cannot be understood is refused with a clear error."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping
from typing import Any, Final

from augur_sdk.errors import RecordError
from augur_sdk.models import VERDICT_STATUSES

__all__ = [
    "MAX_STEP_INDEX",
    "choice",
    "count",
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
        f"{what} is a {type(value).__name__}", expected="a dict", fix="Pass the record as a dict."
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
            f"{what} is out of range", expected=f"a whole number from 0 to {MAX_STEP_INDEX}"
        )
    return index


def _bad_index(what: str, value: Any) -> RecordError:
    return RecordError(
        f"{what} is a {type(value).__name__}",
        expected="a whole number from 0",
        fix="Number the steps of a run 0, 1, 2, ...",
    )


def optional_step_index(value: Any, what: str = "step_index") -> int | None:
    """Return a usable step index, or None for a record of the whole run."""
    return None if value is None else step_index(value, what)


def text(value: Any, what: str) -> str:
    """Return a string that is not empty."""
    if isinstance(value, str) and value:
        return value
    given = "empty" if isinstance(value, str) else f"a {type(value).__name__}"
    raise RecordError(f"{what} is {given}", expected="a string that is not empty")


def string(value: Any, what: str) -> str:
    """Return a string, empty or not."""
    if isinstance(value, str):
        return value
    raise RecordError(f"{what} is a {type(value).__name__}", expected="a string")


def strings(values: Any, what: str) -> list[str]:
    """Return a list of strings."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise RecordError(f"{what} is a {type(values).__name__}", expected="a list of strings")
    return [string(value, f"a member of {what}") for value in values]


def choice(value: Any, what: str, allowed: Iterable[str]) -> str:
    """Return a member of a closed choice."""
    members = list(allowed)
    if isinstance(value, str) and value in members:
        return str(value)
    raise RecordError(f"{what} is not one of the known values", expected=" or ".join(members))


def number(value: Any, what: str) -> int | float:
    """Return a finite number."""
    if isinstance(value, bool):
        raise RecordError(f"{what} is a bool", expected="a number")
    if isinstance(value, int):
        return int(value)
    try:
        real = float(value) if not isinstance(value, str | bytes) else None
    except (TypeError, ValueError, OverflowError):
        real = None
    if real is None:
        raise RecordError(f"{what} is a {type(value).__name__}", expected="a number")
    if not math.isfinite(real):
        raise RecordError(f"{what} is not finite", expected="a number")
    return real


def count(value: Any, what: str) -> int:
    """Return a whole number."""
    real = number(value, what)
    if int(real) != real:
        raise RecordError(f"{what} is not whole", expected="a whole number")
    return int(real)


def unit_interval(value: Any, what: str) -> float:
    """Return a number clamped to 0..1 (contract/records.md); infinities are clamped, too."""
    infinite = isinstance(value, float) and math.isinf(value)
    return min(1.0, max(0.0, float(value if infinite else number(value, what))))


def verdict(value: Any, what: str = "the verdict") -> dict[str, Any]:
    """Return a verdict with a known status, and its score clamped to 0..1."""
    record = mapping(value, what)
    record["status"] = choice(record.get("status"), f"{what}'s status", VERDICT_STATUSES)
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
        )
    data = bytes(value)
    is_webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    if not (data.startswith(_PICTURES) or is_webp):
        given = "empty" if not data else "not a picture of a known format"
        raise RecordError(f"{what} is {given}", expected="the bytes of a PNG, JPEG or WebP picture")
    return data
