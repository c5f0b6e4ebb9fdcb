"""What a server is told when it starts, and the bounds that it holds to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = [
    "MAX_ENVELOPE",
    "MAX_PICTURE",
    "MAX_RECORD",
    "Settings",
]

MAX_PICTURE: Final = 32 * 1024 * 1024
MAX_RECORD: Final = 8 * 1024 * 1024
MAX_ENVELOPE: Final = 256 * 1024 * 1024
"""Bounds on bodies, in bytes (contract/server.md); a trace, which holds many records, has the
envelope's."""


@dataclass(frozen=True)
class Settings:
    """How a server behaves.

    Attributes:
        data: The folder that holds the database and the blobs.
        trust_clients: Store records as they come, without redacting them once more.
        modelio: Whether model calls are taken; otherwise they are answered 403.
        hold: Seconds for which a poll for commands is held open when there is nothing to say.
        queue_bytes: Bytes of records that may wait for the disk before callers are told to wait.
        secure_cookies: Browsers send the session's cookie over https only.
    """

    data: Path
    trust_clients: bool = False
    modelio: bool = True
    hold: float = 25.0
    queue_bytes: int = 64 * 1024 * 1024
    secure_cookies: bool = False
