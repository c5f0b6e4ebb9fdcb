"""Screenshots inside messages: taking them out as bytes, and leaving a digest where they were."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any

__all__ = ["decode_picture", "without_pictures"]

_DATA_URL = "data:image/"


def decode_picture(source: Any) -> bytes | None:
    """The bytes of a picture that a message carries.

    Args:
        source: A `data:image/...;base64,` URL, or a source object as Anthropic's image blocks
            have it (`{"type": "base64", "data": ...}`).

    Returns:
        None for a picture that stands elsewhere (a web address, a file id) or cannot be decoded.
    """
    if isinstance(source, dict):
        return _decode(source.get("data")) if source.get("type") == "base64" else None
    if isinstance(source, str) and source.startswith(_DATA_URL):
        return _decode(source.partition("base64,")[2])
    return None


def without_pictures(value: Any) -> Any:
    """The same value with each embedded picture replaced by its digest and size.

    The digest is that of the decoded bytes: it equals `hashes.sha256` of the observation record
    beside the screenshot.
    """
    if isinstance(value, dict):
        if value.get("type") == "base64" and isinstance(value.get("data"), str):
            return {**value, "data": _digest(decode_picture(value))}
        return {key: without_pictures(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_pictures(item) for item in value]
    if isinstance(value, str) and value.startswith(_DATA_URL):
        return _digest(decode_picture(value))
    return value


def _decode(data: Any) -> bytes | None:
    if not isinstance(data, str) or not data:
        return None
    try:
        return base64.b64decode(data, validate=False) or None
    except (binascii.Error, ValueError):
        return None


def _digest(picture: bytes | None) -> str:
    if picture is None:
        return "picture: unreadable"
    return f"picture: sha256 {hashlib.sha256(picture).hexdigest()}, {len(picture)} bytes"
