"""Time as records have it."""

from __future__ import annotations

import datetime

__all__ = ["utc_now"]


def utc_now() -> str:
    """Now in UTC, ISO-8601, to the millisecond, with a `Z` (contract/records.md)."""
    now = datetime.datetime.now(datetime.UTC)
    return f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"
