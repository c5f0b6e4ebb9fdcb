"""Taking out of a picture what is no pixel: comments, EXIF, XMP, text in colour profiles, tails.

Works on the bytes of the container, so that no pixel is decoded and none changes. What is kept is a
list of the parts that decide how a picture looks; anything else may hold text, and goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from augur_sdk.errors import RecordError
from augur_sdk.images.probe import probe

__all__ = ["strip_metadata"]

_PNG_KEPT: Final = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"cICP", b"sBIT"}
    | {b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT"}
)
_PNG_START: Final = 8
_WEBP_KEPT: Final = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"})
_WEBP_NAMES_METADATA: Final = 0x20 | 0x08 | 0x04
"""The flags of VP8X that say ICCP, EXIF and XMP chunks follow."""

_JPEG_START, _JPEG_END, _JPEG_SCAN = 0xD8, 0xD9, 0xDA
_JPEG_DROPPED: Final = frozenset({*range(0xE1, 0xEE), 0xEF, 0xFE})
"""APP1 to APP13, APP15 and COM. APP0 (JFIF) and APP14 (Adobe) say how colours are stored."""

_JPEG_BARE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_FIXED: Final = {0xE0: 16, 0xEE: 14}
"""Lengths of JFIF without its thumbnail, and of Adobe's segment; more is not theirs."""


def strip_metadata(picture: bytes) -> bytes:
    """The picture without anything but its pixels and how they are to be shown.

    Args:
        picture: A PNG, JPEG or WebP picture; anything else comes back as it is. The same object
            comes back where there is nothing to take out.

    Raises:
        RecordError: The container is damaged, so that what it holds cannot be told.
    """
    kind = probe(picture).format
    if kind is None:
        return picture
    try:
        kept = b"".join(_PARTS[kind](picture))
    except (IndexError, ValueError) as error:
        if isinstance(error, RecordError):
            raise
        raise _damaged() from None
    return picture if kept == picture else kept


def _damaged() -> RecordError:
    return RecordError(
        "a picture's container is damaged: its metadata cannot be told from its pixels",
        fix="Give a whole picture.",
    )


def _png(data: bytes) -> Iterator[bytes]:
    yield data[:_PNG_START]
    at = _PNG_START
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4])
        kind = data[at + 4 : at + 8]
        if end > len(data):
            raise _damaged()
        if kind in _PNG_KEPT:
            yield data[at:end]
        if kind == b"IEND":
            return  # whatever follows the end is no part of the picture
        at = end
    raise _damaged()


def _webp(data: bytes) -> Iterator[bytes]:
    body = b"".join(_webp_chunks(data, 12, min(len(data), 8 + _little(data, 4))))
    yield b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body


def _webp_chunks(data: bytes, at: int, limit: int) -> Iterator[bytes]:
    while at + 8 <= limit:
        kind, size = data[at : at + 4], _little(data, at + 4)
        end = at + 8 + size + size % 2
        if at + 8 + size > len(data):
            raise _damaged()
        if kind == b"VP8X":
            flags = data[at + 8] & ~_WEBP_NAMES_METADATA
            yield data[at : at + 8] + bytes([flags]) + data[at + 9 : end]
        elif kind in _WEBP_KEPT:
            yield data[at:end]
        at = end


def _little(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _jpeg(data: bytes) -> Iterator[bytes]:
    yield data[:2]
    at, has_pixels = 2, False
    while at + 4 <= len(data):
        marker = data[at + 1]
        if data[at] != 0xFF:
            raise _damaged()
        if marker == 0xFF:
            at += 1
            continue
        if marker == _JPEG_END:
            break
        end = at + 2 if marker in _JPEG_BARE else at + 2 + int.from_bytes(data[at + 2 : at + 4])
        if end > len(data) or end < at + 2:
            raise _damaged()
        if marker not in _JPEG_DROPPED:
            yield _segment(marker, data[at:end])
        at = end
        if marker == _JPEG_SCAN:
            has_pixels = True
            at = _scan_end(data, at)
            yield data[end:at]
    if not has_pixels:
        raise _damaged()
    yield b"\xff\xd9"


def _segment(marker: int, segment: bytes) -> bytes:
    length = _FIXED.get(marker)
    if length is None or len(segment) <= length + 2:
        return segment
    if marker != 0xE0:
        return segment[:2] + length.to_bytes(2) + segment[4 : length + 2]
    # The thumbnail goes, and with it its size.
    return segment[:2] + length.to_bytes(2) + segment[4:16] + b"\0\0"


def _scan_end(data: bytes, at: int) -> int:
    """Where the entropy-coded bytes of a scan end: at a marker that is no stuffing or restart."""
    while (at := data.find(b"\xff", at)) >= 0 and at + 1 < len(data):
        following = data[at + 1]
        if following != 0x00 and not 0xD0 <= following <= 0xD7:
            return at
        at += 2
    return len(data)


_PARTS: Final[dict[str, Callable[[bytes], Iterator[bytes]]]] = {
    "png": _png,
    "jpeg": _jpeg,
    "webp": _webp,
}
