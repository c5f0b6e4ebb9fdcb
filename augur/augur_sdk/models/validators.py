"""Check records against their shapes (contract/records.md).

A validator is compiled when its record is first checked, and kept. What it reports says where
and what was expected, and never quotes the value: values may be secrets.
"""

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from augur_sdk.models.json_schema import schema_of
from augur_sdk.models.registry import shape_of

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails, SchemaValidator, ValidationError

__all__ = ["Problem", "prepare", "problems", "problems_json"]

_NOT_JSON: Final = "json_invalid"

_WORDING: Final = {
    "missing": "is required and absent",
    "extra_forbidden": "is not a field of this record",
    "typed_dict_type": "expected an object",
    "dict_type": "expected an object",
    "list_type": "expected an array",
    "string_type": "expected a string",
    "string_sub_type": "expected a string",
    "string_unicode": "expected a string of valid Unicode",
    "bool_type": "expected true or false",
    "literal_error": "expected {expected}",
    "string_pattern_mismatch": "expected a string that matches {pattern}",
    "string_too_short": "expected a string of at least {min_length} character(s)",
    "too_short": "expected at least {min_length} item(s)",
    "expected": "{message}",
}

_NAME = re.compile(r"[A-Za-z_]{1,40}[0-9]{0,3}")
"""What a field's name looks like; other keys may be somebody's data and are not repeated."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One way in which a record breaks its shape.

    Attributes:
        path: Where, as keys and indices joined by dots (`steps.3.verdict.status`); empty for
            the record as a whole.
        message: What was expected there. It holds no part of the record.
        unknown: Whether it is only a field that the shape does not have.
    """

    path: str
    message: str
    unknown: bool = False

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


_NOT_FINITE: Final = Problem("", "is not JSON: it holds NaN or Infinity")


def problems(record: str, value: object) -> list[Problem]:
    """Return what is wrong with a record given as a Python value; empty when it is valid.

    Args:
        record: The record's name, such as `step_trace`.
        value: The record as JSON would decode it: dicts, lists, strings, numbers, booleans, None.

    Raises:
        KeyError: No record has that name.
    """
    from pydantic_core import ValidationError

    try:
        _validator(record).validate_python(value)
    except ValidationError as error:
        return _reported(error)
    return []


def problems_json(record: str, raw: bytes | str) -> list[Problem]:
    """Return what is wrong with a record given as JSON text; empty when it is valid.

    Args:
        record: The record's name, such as `step_trace`.
        raw: The text, in UTF-8 when it is bytes.

    Raises:
        KeyError: No record has that name.
    """
    from pydantic_core import ValidationError

    try:
        _validator(record).validate_json(raw)
    except ValidationError as error:
        if _is_not_json(error):
            return _reread(record, raw, error)
        return _reported(error)
    return [] if _is_finite(raw) else [_NOT_FINITE]


def prepare(*records: str) -> None:
    """Compile the validators of some records now rather than at their first use."""
    for record in records:
        _validator(record)


@functools.cache
def _validator(record: str) -> "SchemaValidator":
    from augur_sdk.models.compiling import compiled

    return compiled(schema_of(shape_of(record)))


def _is_not_json(error: "ValidationError") -> bool:
    return error.errors(include_url=False, include_input=False)[0]["type"] == _NOT_JSON


def _reread(record: str, raw: bytes | str, error: "ValidationError") -> list[Problem]:
    """Check text that the fast parser refuses and JSON allows: lone surrogates, deep nesting."""
    try:
        text = raw if isinstance(raw, str) else raw.decode()
        whole = json.dumps(json.loads(text, parse_constant=_refuse), ensure_ascii=False)
        return problems(record, json.loads(whole.encode("utf-8", "replace")))
    except (ValueError, RecursionError):
        return _reported(error)


def _is_finite(raw: bytes | str) -> bool:
    """Whether the text is free of the constants that lenient parsers take for numbers."""
    data = raw.encode() if isinstance(raw, str) else raw
    # A search for one byte costs a tenth of a search for a word.
    if (b"N" not in data or b"NaN" not in data) and (b"I" not in data or b"Infinity" not in data):
        return True
    try:
        json.loads(data, parse_constant=_refuse)
    except ValueError:
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _reported(error: "ValidationError") -> list[Problem]:
    return [_problem(detail) for detail in error.errors(include_url=False, include_input=False)]


def _problem(detail: "ErrorDetails") -> Problem:
    context: dict[str, Any] = detail.get("ctx", {})
    wording = _WORDING.get(detail["type"], "{message}")
    message = wording.format_map({**context, "message": detail["msg"]})
    unknown = detail["type"] == "extra_forbidden"
    return Problem(".".join(_readable(detail["loc"])), message, unknown)


def _readable(location: tuple[int | str, ...]) -> Iterator[str]:
    for part in location:
        known = isinstance(part, int) or _NAME.fullmatch(part)
        yield str(part) if known else "<key>"
