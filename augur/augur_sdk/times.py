"""Times as records have them: UTC, ISO-8601, to the millisecond, with a `Z`."""

from __future__ import annotations

import datetime

__all__ = ["utc_now", "utc_text"]


def utc_now() -> str:
    """Now, as a record has it."""
    return utc_text(datetime.datetime.now(datetime.UTC))


def utc_text(moment: datetime.datetime) -> str:
    """A time that knows its zone, as a record has it."""
    utc = moment.astimezone(datetime.UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"
