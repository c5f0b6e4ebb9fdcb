"""Headers of real pictures written by Pillow, and of pictures cut, lying or hostile."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from augur_sdk.images.probe import observation, probe
from augur_sdk.models.validators import problems

SIZE = (37, 21)


def encoded(kind: str, size: tuple[int, int] = SIZE, mode: str = "RGB", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, 77).save(buffer, kind, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n\0\0\0\r" + body + struct.pack(">I", zlib.crc32(body))


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (encoded("PNG"), "image/png"),
        (encoded("PNG", mode="P"), "image/png"),
        (encoded("JPEG"), "image/jpeg"),
        (encoded("JPEG", progressive=True), "image/jpeg"),
        (encoded("JPEG", comment=b"x" * 5000), "image/jpeg"),
        (encoded("WEBP"), "image/webp"),
        (encoded("WEBP", lossless=True), "image/webp"),
        (encoded("WEBP", mode="RGBA", exif=b"Exif\0\0" + b"x" * 40), "image/webp"),
    ],
)
def test_format_and_size_are_read_from_the_header(data: bytes, media_type: str) -> None:
    found = probe(data)
    assert (found.media_type, found.width, found.height, found.problem) == (media_type, *SIZE, None)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"hello, this is text and long enough", "not a PNG"),
        (b"GIF89a" + b"\0" * 40, "not a PNG"),
        (encoded("PNG")[:15], "cut short"),
        (encoded("JPEG")[:8], "cut short"),
        (encoded("WEBP")[:14], "cut short"),
        (png_header(0, 5), "no width"),
        (b"\xff\xd8\xff\xe0\xff\xff" + b"\0" * 100, "cut short"),
        (b"\xff\xd8" + b"\xff" * 100_000, "cut short"),
    ],
)
def test_a_picture_without_a_size_says_why(data: bytes, reason: str) -> None:
    found = probe(data)
    assert not found.ok
    assert reason in (found.problem or "")


@given(st.binary(max_size=200), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"]))
def test_no_bytes_make_it_raise(tail: bytes, head: bytes) -> None:
    found = probe(head + tail)
    assert found.ok == (found.width > 0 and found.height > 0)


def test_an_observation_is_complete_and_valid() -> None:
    data = encoded("PNG")
    facts = {"artifact": "screenshots/0003_pre.png", "url": "https://x.test/", "title": "X"}
    record = observation(data, facts)
    assert record["media_type"] == "image/png"
    assert (record["width"], record["height"]) == SIZE
    assert record["coordinate_space"] == "screenshot_px"
    assert record["hashes"]["sha256"] == hashlib.sha256(data).hexdigest()
    assert len(record["hashes"]["phash_64"]) == 16
    assert record["url"] == "https://x.test/"
    assert problems("observation", record) == []


def test_a_device_scale_factor_alone_gives_the_viewport() -> None:
    record = observation(encoded("PNG", (200, 100)), {"artifact": "a", "device_scale_factor": 2})
    assert record["viewport"] == {"width": 100, "height": 50, "device_scale_factor": 2}
    assert "device_scale_factor" not in record


def test_a_viewport_that_was_given_is_kept() -> None:
    viewport = {"width": 10, "height": 5}
    record = observation(encoded("PNG"), {"artifact": "a", "viewport": viewport})
    assert record["viewport"] == viewport


def test_an_enormous_claim_is_written_down_and_not_decoded() -> None:
    record = observation(png_header(60_000, 60_000), {"artifact": "a"})
    assert record["width"] == 60_000
    assert "phash_64" not in record["hashes"]


def test_a_damaged_picture_keeps_its_digest_and_nothing_made_up() -> None:
    record = observation(encoded("JPEG")[:6], {"artifact": "a"})
    assert set(record) == {"artifact", "coordinate_space", "media_type", "hashes"}
    assert set(record["hashes"]) == {"sha256"}
