"""`delivery.json`: what of a finished bundle the server does not have yet, for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from augur_sdk.bundle import layout
from augur_sdk.bundle.delivery_log import DeliveryLog
from augur_sdk.storage import LocalFSStore
from augur_sdk.storage.safe_open import read_inside

__all__ = ["read_note", "remove_note", "write_note"]

_OPTIONS = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


def write_note(root: Path, log: DeliveryLog, where: str) -> None:
    """Say beside the manifest what was sent, is pending, and was refused and why.

    Args:
        root: The bundle's folder.
        log: The state of delivery.
        where: The destination, without any secret.

    Raises:
        OSError: The disk refuses.
    """
    note: dict[str, Any] = {
        "server": where,
        "sent": log.sent,
        "pending": log.pending,
        "refused": {str(status): count for status, count in log.refused.items()},
        "blocked": log.blocked,
        "to_finish": "augur push DIR",
        "state": log.acknowledgement(),
    }
    LocalFSStore(root).write_bytes(layout.DELIVERY, orjson.dumps(note, option=_OPTIONS))


def read_note(root: Path) -> dict[str, Any]:
    """What the note says; nothing where there is none."""
    try:
        note = orjson.loads(read_inside(root, layout.DELIVERY))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def remove_note(root: Path) -> None:
    """Everything is delivered."""
    (root / layout.DELIVERY).unlink(missing_ok=True)
