"""What a server announces in its answer to a heartbeat (contract/http.md, 6 and 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

import orjson

from augur_sdk.streaming.outcome import Answer, Outcome

__all__ = ["MOST_BYTES", "Capabilities"]

MOST_BYTES: Final = 1 << 20
"""What one request carries at most, whatever the server takes: it is held in memory, sent again as
a whole where it fails, and a record should not wait long for its company."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a server takes besides one record a request; nothing until it says so.

    Attributes:
        envelope_bytes: How many bytes of records in one request; 0 for one record a request.
        files: Whether it takes the bundle's other files.
        inventory: Whether it says what it has of a run.
    """

    envelope_bytes: int = 0
    files: bool = False
    inventory: bool = False

    @classmethod
    def announced(cls, outcome: Outcome) -> Self:
        """By what came of a heartbeat; versions that nobody here knows are none."""
        if not isinstance(outcome, Answer):
            return cls()
        try:
            told: Any = orjson.loads(outcome.body)["capabilities"]
            most = told.get("max_bytes") if told.get("envelope") == 1 else 0
            files, inventory = told.get("files") == 1, told.get("inventory") == 1
        except (ValueError, TypeError, LookupError, AttributeError):
            return cls()
        usable = type(most) is int and most > 0
        return cls(min(most, MOST_BYTES) if usable else 0, files, inventory)
