"""A multipart body around one picture, with its length known before a byte is read."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from augur_sdk.streaming.routes import FILE_NAME, PART_NAME

__all__ = ["Envelope"]

_HEAD = (
    "--{boundary}\r\n"
    'Content-Disposition: form-data; name="{part}"; filename="{file}"\r\n'
    "Content-Type: image/png\r\n\r\n"
)


@dataclass(frozen=True)
class Envelope:
    """What goes before and after the picture's bytes."""

    boundary: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def content_type(self) -> str:
        """The request's Content-Type."""
        return f"multipart/form-data; boundary={self.boundary}"

    @property
    def head(self) -> bytes:
        """The bytes before the picture."""
        return _HEAD.format(boundary=self.boundary, part=PART_NAME, file=FILE_NAME).encode()

    @property
    def tail(self) -> bytes:
        """The bytes after the picture."""
        return f"\r\n--{self.boundary}--\r\n".encode()
