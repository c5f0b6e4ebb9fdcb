"""What stands in the place of something that was redacted.

Every marker has the form `***REDACTED:<kind>***`. Rules never match inside one, so that a record
that passes the door twice comes out the same.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

__all__ = [
    "ERROR",
    "MARKER",
    "MARKER_BYTES",
    "MARKER_HEAD",
    "MASK",
    "count_markers",
    "marker",
    "without_markers",
]

MARKER_HEAD: Final = "***REDACTED:"
MARKER: Final = re.compile(r"\*\*\*REDACTED:([\w.-]{1,80}+)\*\*\*")
MARKER_BYTES: Final = re.compile(rb"\*\*\*REDACTED:([\w.-]{1,80}+)\*\*\*")


def marker(kind: str) -> str:
    """The text that replaces a match of `kind`."""
    return f"{MARKER_HEAD}{kind}***"


MASK: Final = marker("mask")
"""Replaces the value of a masked key."""

ERROR: Final = marker("error")
"""Replaces a field whose redaction failed."""


def without_markers(text: str) -> str:
    """The text with each marker taken out, for looking at what is left."""
    return MARKER.sub("", text) if MARKER_HEAD in text else text


def count_markers(encoded: bytes) -> Counter[str]:
    """How many markers of each kind a piece of UTF-8 text holds."""
    return Counter(kind.decode() for kind in MARKER_BYTES.findall(encoded))
