"""What a picture's header says, and the observation record made from it (contract/records.md).

Reading a header decompresses nothing, so a picture that claims to be enormous costs nothing.
No function here raises because of the picture's bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from augur_sdk.images.hashing import PNG_SIGNATURE, phash_64, sha256_hex

__all__ = ["PictureFormat", "Probe", "observation", "probe"]

PictureFormat = Literal["png", "jpeg", "webp"]

_JPEG_SIGNATURE: Final = b"\xff\xd8\xff"
_JPEG_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_CUT_SHORT: Final = "it is cut short before its size"


class Probe(NamedTuple):
    """What a header says. `problem` says why there is no size, and is None otherwise."""

    format: PictureFormat | None
    width: int = 0
    height: int = 0
    problem: str | None = None

    @property
    def media_type(self) -> str | None:
        """The picture's media type, such as `image/png`; None when it is no known picture."""
        return f"image/{self.format}" if self.format else None

    @property
    def ok(self) -> bool:
        """Whether format and size are known."""
        return self.problem is None


def probe(data: bytes | bytearray | memoryview) -> Probe:
    """Read format, width and height (in pixels) from the header of a PNG, JPEG or WebP picture."""
    header = bytes(data[:32])
    if not header:
        return Probe(None, problem="it is empty")
    known = _format_of(header)
    if known is None:
        return Probe(None, problem="it is not a PNG, JPEG or WebP picture")
    size = _jpeg_size(data) if known == "jpeg" else _SIZES[known](header)
    if size is None:
        return Probe(known, problem=_CUT_SHORT)
    if min(size) < 1:
        return Probe(known, problem="its header names no width or no height")
    return Probe(known, *size)


def observation(
    data: bytes, facts: Mapping[str, Any], *, sha256: str | None = None, perceptual: bool = True
) -> dict[str, Any]:
    """Complete an observation record from a picture's bytes.

    Decodes the picture for its perceptual hash, which takes 5 to 25 ms for a screenshot, mostly
    without the interpreter lock: call it behind the agent's back.

    Args:
        data: The picture, as it is stored.
        facts: What the caller knows: `artifact` (the bundle-relative path) and any other field of
            the record; kept as given. `device_scale_factor` without a `viewport` gives one.
        sha256: The digest of `data` in hex, where it is known already.
        perceptual: Whether to decode the picture for its perceptual hash.

    Returns:
        The record. Size and perceptual hash are left out where the bytes do not tell them.
    """
    record: dict[str, Any] = {"coordinate_space": "screenshot_px", **facts}
    scale = record.pop("device_scale_factor", None)
    found = probe(data)
    if found.media_type:
        record["media_type"] = found.media_type
    if found.ok:
        record["width"], record["height"] = found.width, found.height
        if scale and "viewport" not in record:
            record["viewport"] = _viewport(found, scale)
    record["hashes"] = _hashes(data, sha256 or sha256_hex(data), perceptual)
    return record


def _viewport(found: Probe, scale: float) -> dict[str, Any]:
    return {
        "width": max(1, round(found.width / scale)),
        "height": max(1, round(found.height / scale)),
        "device_scale_factor": scale,
    }


def _hashes(data: bytes, sha256: str, perceptual: bool) -> dict[str, str]:
    phash = phash_64(data, sha256=sha256) if perceptual else None
    return {"sha256": sha256} | ({"phash_64": phash} if phash else {})


def _format_of(header: bytes) -> PictureFormat | None:
    if header.startswith(PNG_SIGNATURE):
        return "png"
    if header.startswith(_JPEG_SIGNATURE):
        return "jpeg"
    if header[:4] == b"RIFF" and header[8:12] == b"WEBP":
        return "webp"
    return None


def _png_size(header: bytes) -> tuple[int, int] | None:
    if len(header) < 24 or header[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", header[16:24])
    return width, height


def _webp_size(header: bytes) -> tuple[int, int] | None:
    chunk, body = header[12:16], header[20:]
    if chunk == b"VP8X" and len(body) >= 10:
        return _little(body[4:7]) + 1, _little(body[7:10]) + 1
    if chunk == b"VP8L" and len(body) >= 5:
        bits = _little(body[1:5])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 " and len(body) >= 10:
        return _little(body[6:8]) & 0x3FFF, _little(body[8:10]) & 0x3FFF
    return None


_SIZES: Final = {"png": _png_size, "webp": _webp_size}


def _jpeg_size(data: bytes | bytearray | memoryview) -> tuple[int, int] | None:
    """Walk the segments up to the frame header; each step moves on, so the walk ends."""
    at, end = 2, len(data)
    while at + 4 <= end and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _JPEG_BARE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _JPEG_FRAMES:
            return _frame_size(bytes(data[at + 5 : at + 9]))
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return None


def _frame_size(body: bytes) -> tuple[int, int] | None:
    if len(body) < 4:
        return None
    height, width = struct.unpack(">HH", body)
    return width, height


def _little(raw: bytes) -> int:
    return int.from_bytes(raw, "little")
