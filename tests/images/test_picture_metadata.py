"""What is no pixel leaves a picture, and every pixel stays."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from augur_sdk.errors import RecordError
from augur_sdk.images.metadata import strip_metadata

SECRET = "hunter2-in-metadata"
KINDS = ["png", "jpeg", "webp"]


def _image() -> Image.Image:
    image = Image.new("RGB", (40, 30), (200, 30, 30))
    image.paste((10, 200, 90), (5, 5, 20, 25))
    return image


def _planted(kind: str, secret: str = SECRET) -> bytes:
    exif = Image.Exif()
    exif[0x010E] = secret
    options: dict[str, Any] = {"exif": exif, "icc_profile": b"icc " + secret.encode()}
    if kind == "png":
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", secret)
        info.add_itxt("XML:com.adobe.xmp", secret)
        info.add_text("Zipped", secret, zip=True)
        options["pnginfo"] = info
    elif kind == "jpeg":
        options |= {"comment": secret.encode(), "xmp": secret.encode()}
    else:
        options["xmp"] = secret.encode()
    file = io.BytesIO()
    _image().save(file, kind.upper(), **options)
    return file.getvalue() + secret.encode()


def _pixels(picture: bytes) -> bytes:
    with Image.open(io.BytesIO(picture)) as image:
        return image.convert("RGB").tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_planted_secrets_leave_and_pixels_stay(kind: str) -> None:
    picture = _planted(kind)
    stripped = strip_metadata(picture)
    assert SECRET.encode() in picture
    assert SECRET.encode() not in stripped
    assert _pixels(stripped) == _pixels(picture)
    with Image.open(io.BytesIO(stripped)) as image:
        assert not image.getexif()
        assert not {"icc_profile", "Comment", "Zipped", "comment", "xmp"} & set(image.info)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_without_metadata_comes_back_as_the_same_object(kind: str) -> None:
    file = io.BytesIO()
    _image().save(file, kind.upper())
    picture = file.getvalue()
    assert strip_metadata(picture) is picture


def test_a_progressive_jpeg_keeps_every_scan() -> None:
    file = io.BytesIO()
    _image().save(file, "JPEG", progressive=True, comment=SECRET.encode())
    assert _pixels(strip_metadata(file.getvalue())) == _pixels(file.getvalue())


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_damage_is_refused_in_a_sentence_or_stripped(kind: str, data: st.DataObject) -> None:
    picture = bytearray(_planted(kind))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(picture) - 1))
        picture[at] = data.draw(st.integers(0, 255))
    cut = bytes(picture[: data.draw(st.integers(0, len(picture)))])
    with suppress(RecordError):
        assert len(strip_metadata(cut)) <= len(cut) + 2


def test_what_is_no_picture_comes_back_as_it_is() -> None:
    assert strip_metadata(b"not a picture") == b"not a picture"
