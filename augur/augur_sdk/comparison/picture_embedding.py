"""A screenshot as part of a page: as it is when it is small, scaled down when it is not."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Final

from augur_sdk.errors import RecordError
from augur_sdk.images.hashing import UnusablePictureError, decoded
from augur_sdk.images.probe import probe
from augur_sdk.storage import LocalFSStore

__all__ = ["data_uri"]

_AS_IT_IS: Final = 1 << 20
"""A page holds at most four pictures; up to this many bytes each is kept to the pixel."""

_WIDTH: Final = 1280


def data_uri(bundle_dir: Path, path: str) -> str | None:
    """The picture as a `data:` URI; None when it is not there or no usable picture."""
    try:
        data = LocalFSStore(bundle_dir).read_bytes(path)
        media_type = probe(data).media_type
        if media_type is None:
            return None
        if len(data) > _AS_IT_IS:
            data, media_type = _scaled(data), "image/jpeg"
    except (OSError, RecordError, UnusablePictureError):
        return None
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def _scaled(data: bytes) -> bytes:
    picture = decoded(data).convert("RGB")
    if picture.width > _WIDTH:
        picture = picture.resize((_WIDTH, max(1, picture.height * _WIDTH // picture.width)))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
