"""Masked boxes are gone from the picture; what cannot be masked is refused."""

import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from augur_sdk.errors import RecordError
from augur_sdk.images.masking import mask_regions, regions_of

WHITE = (255, 255, 255)


def picture(
    kind: str = "PNG", size: tuple[int, int] = (64, 48), mode: str = "RGB", **options: Any
) -> bytes:
    out = io.BytesIO()
    fills: dict[str, int | tuple[int, ...]] = {
        "RGB": WHITE,
        "RGBA": (*WHITE, 128),
        "L": 255,
        "P": 1,
        "1": 1,
    }
    Image.new(mode, size, fills[mode]).save(out, kind, **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_box_is_black_and_the_rest_and_the_format_stay(kind: str) -> None:
    masked = opened(mask_regions(picture(kind), [(8, 8, 24, 24)]))
    assert (masked.format, masked.size) == (kind, (64, 48))
    pixels = masked.convert("RGB")
    inside, outside = pixels.getpixel((16, 16)), pixels.getpixel((48, 40))
    assert isinstance(inside, tuple)
    assert isinstance(outside, tuple)
    assert max(inside) < 12
    assert min(outside) > 243


def test_a_png_is_exact_to_the_pixel() -> None:
    pixels = opened(mask_regions(picture(), [(8, 8, 24, 24)]))
    black = {(x, y) for x in range(64) for y in range(48) if pixels.getpixel((x, y)) == (0, 0, 0)}
    assert black == {(x, y) for x in range(8, 24) for y in range(8, 24)}


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "1"])
def test_every_colour_mode_is_masked_opaquely(mode: str) -> None:
    masked = opened(mask_regions(picture(mode=mode), [(0, 0, 8, 8)])).convert("RGBA")
    assert masked.getpixel((4, 4)) == (0, 0, 0, 255)


def test_metadata_of_the_original_is_gone() -> None:
    info = PngInfo()
    info.add_text("comment", "canary-7f3a")
    assert b"canary" in picture(pnginfo=info)
    assert b"canary" not in mask_regions(picture(pnginfo=info), [(0, 0, 1, 1)])
    exif = Image.Exif()
    exif[0x010E] = "canary-7f3a"
    assert b"canary" not in mask_regions(picture("JPEG", exif=exif), [(0, 0, 1, 1)])


def test_boxes_are_cut_at_the_edge_and_widened_to_whole_pixels() -> None:
    assert regions_of([(-5, -5, 2.2, 3.9), (60, 40, 999, 999)]) == [
        (0, 0, 3, 4),
        (60, 40, 999, 999),
    ]
    masked = opened(mask_regions(picture(), [(60, 40, 10**9, 10**9), (70, 50, 80, 60)]))
    assert masked.getpixel((63, 47)) == (0, 0, 0)
    assert masked.getpixel((59, 47)) == WHITE


def test_without_boxes_the_picture_is_the_same() -> None:
    data = picture()
    assert mask_regions(data, []) is data


@pytest.mark.parametrize(
    "boxes",
    [
        [(1, 2, 3)],
        [(1, 2, 3, 4, 5)],
        [(5, 5, 5, 9)],
        [(9, 9, 1, 1)],
        [(0, 0, float("nan"), 4)],
        [(0, 0, float("inf"), 4)],
        [(0, 0, "9", 4)],
        [(True, False, True, True)],
        [None],
        [-9, -9, -1, -1],
        [(-9, -9, -1, -1)],
        ["abcd"],
        "abcd",
        {"x1": 1},
        7,
        [(0, 0, 1, 1)] * 10_001,
        [(0, 0, 10**400, 1)],
    ],
)
def test_nonsense_is_refused(boxes: Any) -> None:
    with pytest.raises(RecordError):
        mask_regions(picture(), boxes)


def png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no picture",
        picture()[:60],
        picture("JPEG")[:200],
        picture("WEBP")[:30],
        png_header(64, 48),
        png_header(100_000, 100_000),
    ],
)
def test_what_cannot_be_decoded_is_refused_not_kept(data: bytes) -> None:
    with pytest.raises(RecordError):
        mask_regions(data, [(0, 0, 1, 1)])


def test_an_animation_is_refused() -> None:
    out = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "green")]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    with pytest.raises(RecordError, match="animated"):
        mask_regions(out.getvalue(), [(0, 0, 1, 1)])


SIDE = st.integers(-10, 80)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(SIDE, SIDE, SIDE, SIDE), max_size=4))
def test_whatever_the_boxes_the_result_is_a_masked_picture_or_a_refusal(
    boxes: list[tuple[int, int, int, int]],
) -> None:
    try:
        masked = mask_regions(picture(), boxes)
    except RecordError:
        return
    pixels = opened(masked)
    for x1, y1, x2, y2 in boxes:
        x, y = max(0, x1), max(0, y1)
        if x < min(64, x2) and y < min(48, y2):
            assert pixels.getpixel((x, y)) == (0, 0, 0)
