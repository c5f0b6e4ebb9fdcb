"""A record's value at the time of the call, as JSON bytes.

Encoding is the snapshot: the caller's objects are neither kept nor mutated, and later changes
to them cannot reach the record. What JSON cannot hold becomes its clearest text form.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import enum
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import orjson

from augur_sdk.errors import RecordError

__all__ = ["MAX_RECORD_BYTES", "clearest_text", "snapshot"]

MAX_RECORD_BYTES: Final = 32 * 1024 * 1024
"""Larger records are refused: one of them would fill the inbox that all calls share."""

MAX_DEPTH: Final = 100
"""Deeper nesting becomes text: no reader of the bundle should have to recurse further."""

_OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_find_null = re.compile(b"null").search  # quicker than `in` where there is none
_INT_RANGE = range(-(2**63), 2**64)


def snapshot(value: Any) -> tuple[bytes, int]:
    """Encode `value` as JSON; returns the bytes, and how many values had to be replaced by text.

    Raises:
        RecordError: The encoded record is larger than `MAX_RECORD_BYTES`.
    """
    try:
        raw = orjson.dumps(value, option=_OPTIONS)
    except (TypeError, RecursionError):
        return _repaired(value)
    # orjson writes NaN and the infinities as null, which would lose them silently.
    if _find_null(raw) and _holds_non_finite(value):
        return _repaired(value)
    return _checked(raw), 0


def _checked(raw: bytes) -> bytes:
    if len(raw) > MAX_RECORD_BYTES:
        raise RecordError(
            f"the record is {len(raw)} bytes as JSON",
            expected=f"at most {MAX_RECORD_BYTES}",
            fix="Attach large payloads as screenshots, or shorten them.",
        )
    # orjson hands out a buffer of several times the size; these bytes wait in memory.
    return bytes(memoryview(raw))


def _holds_non_finite(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, dict):
        return any(map(_holds_non_finite, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_holds_non_finite, value))
    return False


def _repaired(value: Any) -> tuple[bytes, int]:
    plain = _Plain()
    return _checked(orjson.dumps(plain.convert(value, 0))), plain.replaced


class _Plain:
    """One conversion of a value to what JSON can hold."""

    def __init__(self) -> None:
        self.replaced = 0
        self._open: set[int] = set()

    def convert(self, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, enum.Enum):
            return self.convert(value.value, depth)
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int):
            return int(value) if int(value) in _INT_RANGE else self._replace(str(int(value)))
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else self._replace(_non_finite(value))
        return self._composite(value, depth)

    def _composite(self, value: Any, depth: int) -> Any:
        if depth >= MAX_DEPTH:
            return self._replace(f"<nested deeper than {MAX_DEPTH} levels>")
        if id(value) in self._open:
            return self._replace("<cycle>")
        self._open.add(id(value))
        try:
            return self._opened(value, depth + 1)
        except RecursionError:
            return self._replace(f"<{type(value).__name__}>")
        finally:
            self._open.discard(id(value))

    def _opened(self, value: Any, depth: int) -> Any:
        if isinstance(value, Mapping):
            return {self._key(k): self.convert(v, depth) for k, v in list(value.items())}
        if isinstance(value, list | tuple):
            return self._items(value, depth)
        self.replaced += 1
        if isinstance(value, set | frozenset):
            return self._items(sorted(value, key=repr), depth)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {f.name: getattr(value, f.name, None) for f in dataclasses.fields(value)}
            return self.convert(fields, depth)
        dumped = _call_first(value, "model_dump", "tolist", "item")
        return self.convert(dumped, depth) if dumped is not None else clearest_text(value)

    def _items(self, values: Iterable[Any], depth: int) -> list[Any]:
        return [self.convert(item, depth) for item in list(values)]

    def _key(self, key: Any) -> str:
        if isinstance(key, enum.Enum):
            key = key.value
        if isinstance(key, str):
            return self._text(key)
        self.replaced += 1
        return self._text(clearest_text(key))

    def _text(self, text: str) -> str:
        try:
            text.encode()
        except UnicodeEncodeError:
            self.replaced += 1
            return text.encode("utf-8", "backslashreplace").decode()
        return str.__str__(text)

    def _replace(self, text: str) -> str:
        self.replaced += 1
        return text


def _non_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _call_first(value: Any, *names: str) -> Any:
    """Return what the first of these conversions gives (pydantic models, numpy values)."""
    if isinstance(value, type):
        return None
    for name in names:
        method: Callable[[], Any] | None = getattr(value, name, None)
        if callable(method):
            try:
                return method()
            except Exception:  # noqa: BLE001, S112 - a foreign object's failure leaves its text
                continue
    return None


def clearest_text(value: Any) -> str:
    """A value that JSON cannot hold, as text; never raises because of the value."""
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value)
        try:
            return data.decode()
        except UnicodeDecodeError:
            return "base64:" + base64.b64encode(data).decode()
    try:
        text = str(value)
    except Exception:  # noqa: BLE001 - a __str__ that raises must not cost the record
        text = f"<{type(value).__name__}>"
    return text.encode("utf-8", "backslashreplace").decode()
