"""Digests of pictures: sha256 of the bytes, and a perceptual hash of what they show.

The perceptual hash equals `str(imagehash.phash(picture))` for every picture. It is computed here
with Pillow alone, because importing imagehash brings in numpy and scipy: close to a second and
45 MiB, holding up other threads for tens of milliseconds. Only where the answer hangs on how
scipy rounds, as for a picture that is its own mirror image, imagehash itself is asked.
"""

from __future__ import annotations

import hashlib
import io
import math
import os
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from functools import cache
from operator import mul
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "MAX_PIXELS",
    "PNG_SIGNATURE",
    "UnusablePictureError",
    "decoded",
    "hash_ahead",
    "is_being_hashed",
    "is_ready",
    "load_decoder",
    "phash_64",
    "sha256_hex",
]

MAX_PIXELS: Final = 1 << 25
"""The largest picture that is decoded: 8K fits, and takes at most 128 MiB for a moment."""

_SIDE: Final = 32
_LOW: Final = 8
_ROUNDING: Final = 1e-6  # scipy's sums of 1024 bytes are exact to far less than this
_FORMATS: Final = ("PNG", "JPEG", "WEBP")
PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_REMEMBERED: Final = 64

_recent: dict[str, Future[str | None]] = {}
"""By sha256: the next step's picture is often this one's, and two threads share the work."""

_lock = threading.Lock()

_ready = False
"""Whether Pillow is imported, which takes a busy machine up to a second."""


class UnusablePictureError(ValueError):
    """A picture that is too large to decode, or that cannot be decoded."""


def sha256_hex(data: bytes) -> str:
    """Return the sha256 of the bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def phash_64(data: bytes, *, sha256: str | None = None) -> str | None:
    """Return a picture's 64-bit perceptual hash as 16 hex digits, as `imagehash.phash` does.

    None for a picture of more than `MAX_PIXELS`, one that is damaged, or no picture at all.
    """
    key = sha256 or sha256_hex(data)
    while True:
        answer, mine = _claim(key)
        if mine:
            with _given_up_unless_answered(key, answer):
                answer.set_result(_phash(data))
        with suppress(CancelledError):  # whoever began with it gave it up
            return answer.result()


def hash_ahead(data: bytes) -> None:
    """Have a picture's perceptual hash ready for `phash_64`, where that takes milliseconds.

    A picture that takes imagehash, whose import takes a second, and one that another thread is
    at are passed over. To be called when `is_ready`, for the same reason.
    """
    key = sha256_hex(data)
    answer, mine = _claim(key)
    if mine:
        with _given_up_unless_answered(key, answer):
            if found := _phash(data, reference=False):
                answer.set_result(found)


def is_ready() -> bool:
    """Whether a picture can be hashed without importing anything."""
    return _ready


def load_decoder() -> None:
    """Import what decodes and hashes most pictures."""
    global _ready
    if not _ready:
        with suppress(Exception):  # a broken Pillow costs the hashes and nothing else
            from PIL import PngImagePlugin  # noqa: F401 - loaded for what comes later

            _cosines()
            _ready = True


def is_being_hashed(sha256: str) -> bool:
    """Whether another thread is computing this picture's perceptual hash at the moment."""
    answer = _recent.get(sha256)
    return answer is not None and not answer.done()


def _claim(key: str) -> tuple[Future[str | None], bool]:
    """The answer for a picture, and whether it is the caller's to give."""
    with _lock:
        known = _recent.get(key)
        if known is not None:
            return known, False
        answer = _recent[key] = Future()
        if len(_recent) > _REMEMBERED:
            del _recent[next(iter(_recent))]
        return answer, True


@contextmanager
def _given_up_unless_answered(key: str, answer: Future[str | None]) -> Iterator[None]:
    try:
        yield
    finally:
        if not answer.done():
            with _lock:
                if _recent.get(key) is answer:
                    del _recent[key]
            answer.cancel()


def decoded(data: bytes) -> Image:
    """Decode a picture, within bounds.

    Raises:
        UnusablePictureError: it is larger than `MAX_PIXELS`, damaged, or no picture.
    """
    try:
        picture = _opened(data)
        fits = picture.width * picture.height <= MAX_PIXELS
        if fits:
            picture.load()
    except Exception as error:
        raise UnusablePictureError("a picture that cannot be decoded") from error
    if not fits:
        raise UnusablePictureError(f"a picture of more than {MAX_PIXELS} pixels")
    return picture


def _opened(data: bytes) -> Image:
    if data.startswith(PNG_SIGNATURE):
        # Most are PNGs, and `Image.open` would import what reads four other formats first.
        from PIL.PngImagePlugin import PngImageFile

        return PngImageFile(io.BytesIO(data))
    from PIL import Image

    return Image.open(io.BytesIO(data), formats=_FORMATS)


def _phash(data: bytes, *, reference: bool = True) -> str | None:
    global _ready
    try:
        picture = decoded(data)
        found = _quick_phash(picture)
        _ready = True
        return found or (_reference_phash(picture) if reference else None)
    except Exception:  # noqa: BLE001 - Pillow raises many kinds for odd modes; a hash is optional
        return None


def _quick_phash(picture: Image) -> str | None:
    """The hash, or None where two coefficients are too close to be told apart here."""
    from PIL.Image import Resampling

    pixels = picture.convert("L").resize((_SIDE, _SIDE), Resampling.LANCZOS).tobytes()
    coefficients = _low_frequencies(pixels)
    if striped := _striped(pixels):  # a transform of equal values is exactly zero, also in scipy
        coefficients = [0.0 if abs(value) < _ROUNDING else value for value in coefficients]
    ranked = sorted(coefficients)
    middle = len(ranked) // 2
    median = (ranked[middle - 1] + ranked[middle]) / 2
    close = (value for value in coefficients if abs(value - median) < _ROUNDING)
    if any(not striped or value != median for value in close):
        return None
    bits = "".join("1" if value > median else "0" for value in coefficients)
    return f"{int(bits, 2):016x}"


def _reference_phash(picture: Image) -> str:
    import imagehash

    return str(imagehash.phash(picture))


def _striped(pixels: bytes) -> bool:
    """Whether all rows are alike, or all columns: a blank page, or one with bars across it."""
    rows = [pixels[at : at + _SIDE] for at in range(0, len(pixels), _SIDE)]
    return rows.count(rows[0]) == _SIDE or all(row.count(row[0]) == _SIDE for row in rows)


def _low_frequencies(pixels: bytes) -> list[float]:
    """The 8 x 8 lowest coefficients of the two-dimensional DCT-II, row by row."""
    basis = _cosines()
    columns = [pixels[x::_SIDE] for x in range(_SIDE)]
    rows = [[sum(map(mul, wave, column)) for column in columns] for wave in basis]
    return [sum(map(mul, wave, row)) for row in rows for wave in basis]


@cache
def _cosines() -> list[list[float]]:
    return [
        [2 * math.cos(math.pi * k * (2 * n + 1) / (2 * _SIDE)) for n in range(_SIDE)]
        for k in range(_LOW)
    ]


def _forget_after_fork() -> None:
    """What another thread was computing in the parent is never answered in the child."""
    global _lock
    _lock = threading.Lock()
    _recent.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
