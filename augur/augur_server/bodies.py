"""Reading bodies within their bounds: what is too large is refused while it arrives."""

from __future__ import annotations

import zlib
from email.parser import BytesHeaderParser
from typing import Final

from starlette.requests import ClientDisconnect, Request

from augur_server.intake import RefusedError

__all__ = ["picture_part", "read_body", "read_picture"]

_MARGIN: Final = 64 * 1024
"""Bytes that a multipart body may have around its picture."""


async def read_body(request: Request, limit: int) -> bytes:
    """A request's body, decoded.

    Raises:
        RefusedError: It is larger than `limit` bytes, before or after decoding (413), or its
            encoding is not known (415) or broken (422).
    """
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if int(request.headers.get("content-length", "0") or 0) > limit:
        raise _too_large(limit)
    decoder = _decoder(coding)
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += decoder.decode(chunk, limit - len(body)) if decoder else chunk
            if len(body) > limit:
                raise _too_large(limit)
    except ClientDisconnect:
        raise RefusedError(400, "body: ended before its length") from None
    return bytes(body)


async def read_picture(request: Request, limit: int) -> bytes:
    """The part `image` of a multipart body.

    Raises:
        RefusedError: The body is too large, not multipart, or has no such part.
    """
    kind = request.headers.get("content-type", "")
    body = await read_body(request, limit + _MARGIN)
    return picture_part(kind, body, limit)


def picture_part(content_type: str, body: bytes, limit: int) -> bytes:
    """The part `image`, copied out of a multipart body.

    Raises:
        RefusedError: See `read_picture`.
    """
    if not content_type.lower().startswith("multipart/form-data"):
        raise RefusedError(415, "body: expected multipart/form-data with a part named image")
    headers = BytesHeaderParser().parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode())
    boundary = headers.get_boundary()
    for part in body.split(b"--" + (boundary or "").encode("latin-1")) if boundary else ():
        head, found, content = part.partition(b"\r\n\r\n")
        if found and b'name="image"' in head:
            picture = content.removesuffix(b"\r\n")
            if len(picture) > limit:
                raise _too_large(limit)
            return picture
    raise RefusedError(422, "image: the multipart body has no part of that name")


def _too_large(limit: int) -> RefusedError:
    return RefusedError(413, f"body: expected at most {limit} bytes")


class _Zlib:
    """Decodes gzip, never further than asked."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(wbits=31)

    def decode(self, chunk: bytes, room: int) -> bytes:
        """The next decoded bytes, at most one more than there is room for."""
        try:
            return self._decoder.decompress(chunk, room + 1)
        except zlib.error:
            raise RefusedError(422, "body: is not gzip") from None


class _Zstd:
    """Decodes zstd, which is refused as soon as it grows past the bound."""

    def __init__(self) -> None:
        import zstandard

        self._error = zstandard.ZstdError
        self._decoder = zstandard.ZstdDecompressor(max_window_size=8 << 20).decompressobj()

    def decode(self, chunk: bytes, room: int) -> bytes:
        """The next decoded bytes."""
        decoded = bytearray()
        view = memoryview(chunk)
        for start in range(0, len(view), 4096):
            try:
                decoded += self._decoder.decompress(view[start : start + 4096])
            except self._error:
                raise RefusedError(422, "body: is not zstd") from None
            if len(decoded) > room:
                break
        return bytes(decoded)


def _decoder(coding: str) -> _Zlib | _Zstd | None:
    match coding:
        case "identity" | "":
            return None
        case "gzip":
            return _Zlib()
        case "zstd":
            return _Zstd()
    raise RefusedError(415, "content-encoding: expected identity, gzip or zstd")
