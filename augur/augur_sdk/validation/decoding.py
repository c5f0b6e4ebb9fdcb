"""Read JSON that has been checked already, or say that it is none."""

import json
from typing import Any

import orjson

__all__ = ["decoded", "differs"]


def decoded(raw: bytes) -> Any:
    """Return the value of a JSON text, or None when it is not JSON."""
    try:
        return orjson.loads(raw)
    except ValueError:
        return _decoded_leniently(raw)


def _decoded_leniently(raw: bytes) -> Any:
    # orjson refuses lone surrogates and deep nesting, which JSON allows.
    try:
        return json.loads(raw.decode())
    except (ValueError, RecursionError):
        return None


def differs(one: Any, other: Any) -> bool:
    """Whether two JSON values differ; values too deep to compare are given the benefit."""
    try:
        return bool(one != other)
    except RecursionError:
        return False
