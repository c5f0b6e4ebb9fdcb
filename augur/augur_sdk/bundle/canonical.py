"""The bytes of JSON files: the same records give the same bytes, on every machine."""

from __future__ import annotations

from typing import Any

import orjson

__all__ = ["compact", "pretty"]

_PRETTY = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


def pretty(value: Any) -> bytes:
    """A JSON file: UTF-8, two-space indent, keys sorted, a final newline (contract/bundle.md)."""
    return orjson.dumps(value, option=_PRETTY)


def compact(value: Any) -> bytes:
    """One JSONL record without its newline, keys sorted."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
