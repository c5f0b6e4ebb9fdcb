"""Which relpaths are legal. Pure; every store asks here, so a path legal on one is legal on all."""

from __future__ import annotations

import re

from augur_sdk.errors import RecordError

__all__ = ["checked_folder", "checked_relpath", "is_legal"]

_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
"""What nearly every path of a bundle looks like: decided by one match."""

_DRIVE = re.compile(r"[A-Za-z]:")
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\]")
_EXPECTED = "a relative path with forward slashes, without empty, `.` or `..` segments"
_MAX_SEGMENT_BYTES = 255
"""The longest file name that common file systems hold."""

_MAX_PATH_BYTES = 900
"""Below the 1,024 bytes of an object key, with room for a store's prefix."""


def checked_relpath(relpath: str) -> str:
    """Return `relpath` unchanged when it is legal on every store and stays inside the root.

    Raises:
        RecordError: (a ValueError) empty, absolute, with a drive letter, a backslash, a control
            character or NUL, with an empty, `.` or `..` segment, too long, or not UTF-8.
    """
    if fault := _fault(relpath):
        raise RecordError(f"a path in a store is illegal: {fault}", expected=_EXPECTED)
    return relpath


def is_legal(relpath: str) -> bool:
    """Whether `checked_relpath` would take it."""
    return _fault(relpath) is None


def checked_folder(prefix: str) -> str:
    """The folder that `prefix` names, without a trailing slash; empty is the root itself."""
    folder = prefix.removesuffix("/")
    return checked_relpath(folder) if folder else ""


def _fault(relpath: str) -> str | None:
    if len(relpath) < _MAX_SEGMENT_BYTES and _PLAIN.fullmatch(relpath):
        return None
    if not relpath or relpath.startswith("/") or _DRIVE.match(relpath):
        return "it is empty or absolute"
    if _FORBIDDEN.search(relpath):
        return "it holds a backslash or a control character"
    return _segment_fault(relpath)


def _segment_fault(relpath: str) -> str | None:
    segments = relpath.split("/")
    if any(segment in {"", ".", ".."} for segment in segments):
        return "one of its segments is empty, `.` or `..`"
    try:
        sizes = [len(segment.encode()) for segment in segments]
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    if max(sizes) > _MAX_SEGMENT_BYTES or sum(sizes) + len(sizes) > _MAX_PATH_BYTES:
        return "it is too long"
    return None
