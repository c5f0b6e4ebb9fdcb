"""Filling boxes of a picture, so that what they showed is in no byte of it.

The picture is decoded and encoded anew: metadata and thumbnails of the original, which may show the
same region, are not carried over. Whatever cannot be masked raises; the caller then drops the
picture rather than keep it unmasked.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from augur_sdk.errors import RecordError
from augur_sdk.images.hashing import MAX_PIXELS
from augur_sdk.images.probe import Probe, probe

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Box", "mask_regions", "regions_of"]

Box = tuple[int, int, int, int]
"""x1, y1, x2, y2 in picture pixels; x2 and y2 are the first ones outside."""

_MOST_BOXES: Final = 10_000
_ENCODING: Final[dict[str, dict[str, Any]]] = {
    "png": {"format": "PNG", "compress_level": 1},
    "jpeg": {"format": "JPEG", "quality": 90},
    "webp": {"format": "WEBP", "lossless": True, "method": 0},
}
_FIX: Final = "Give mask as [(x1, y1, x2, y2), ...] in picture pixels."


def mask_regions(picture: bytes, boxes: Iterable[Sequence[float]]) -> bytes:
    """The picture with each box filled with black, in the format it had.

    Args:
        picture: a PNG, JPEG or WebP picture.
        boxes: `(x1, y1, x2, y2)` in picture pixels. Parts outside the picture are cut off;
            fractions widen the box. Without boxes the picture comes back as it is.

    Raises:
        RecordError: a box is no box, or the picture cannot be decoded, is too large or is animated.
            The caller must not keep the picture then.
    """
    regions = regions_of(boxes)
    if not regions:
        return picture
    found = _checked(picture)
    try:
        return _filled(picture, regions, found)
    except RecordError:
        raise
    except Exception as error:  # noqa: BLE001 - any decoder's error means: not masked
        raise RecordError(
            f"a picture that cannot be decoded ({type(error).__name__}) cannot be masked",
            fix="It was not kept.",
        ) from None


def regions_of(boxes: Iterable[Sequence[float]]) -> list[Box]:
    """The boxes in whole pixels, each at least covering what was asked.

    Raises:
        RecordError: a box is not four finite numbers with x1 < x2 and y1 < y2, or is wholly
            outside at the top or left; or there are absurdly many.
    """
    if isinstance(boxes, (str, bytes, dict)):
        raise RecordError(f"mask is a {type(boxes).__name__}", expected="a list of boxes", fix=_FIX)
    try:
        regions = [_box(number, box) for number, box in enumerate(boxes)]
    except TypeError as error:
        if isinstance(error, RecordError):
            raise
        raise RecordError("mask is no list", expected="a list of boxes", fix=_FIX) from None
    if len(regions) > _MOST_BOXES:
        raise RecordError(f"{len(regions)} boxes", expected=f"at most {_MOST_BOXES}", fix=_FIX)
    return regions


def _box(number: int, box: Any) -> Box:
    if isinstance(box, (str, bytes, dict)) or not hasattr(box, "__len__") or len(box) != 4:
        raise RecordError(f"box {number} of the mask is not four numbers", fix=_FIX)
    if not all(_is_number(side) for side in box):
        raise RecordError(f"box {number} of the mask holds what is no finite number", fix=_FIX)
    x1, y1, x2, y2 = box
    if not (x1 < x2 and y1 < y2):
        raise RecordError(
            f"box {number} of the mask is empty or reversed",
            expected="x1 < x2 and y1 < y2",
            fix=_FIX,
        )
    if x2 <= 0 or y2 <= 0:
        raise RecordError(f"box {number} of the mask is wholly outside the picture", fix=_FIX)
    return max(0, math.floor(x1)), max(0, math.floor(y1)), math.ceil(x2), math.ceil(y2)


def _is_number(side: Any) -> bool:
    if isinstance(side, bool):
        return False
    try:
        return math.isfinite(side)
    except (TypeError, OverflowError):
        return False


def _checked(picture: bytes) -> Probe:
    found = probe(picture)
    if not found.ok:
        raise RecordError(f"the picture cannot be masked: {found.problem}", fix="It was not kept.")
    if found.width * found.height > MAX_PIXELS:
        raise RecordError(
            f"a picture of {found.width} x {found.height} pixels is too large to be masked",
            expected=f"at most {MAX_PIXELS} pixels",
            fix="It was not kept.",
        )
    return found


def _filled(picture: bytes, regions: list[Box], found: Probe) -> bytes:
    from PIL import Image

    kind = str(found.format)
    with Image.open(io.BytesIO(picture), formats=[kind.upper()]) as opened:
        if (opened.width, opened.height) != (found.width, found.height):
            raise RecordError("the picture's size is not what its header says")
        if getattr(opened, "n_frames", 1) > 1:
            raise RecordError("an animated picture cannot be masked", fix="It was not kept.")
        opened.load()
        image = _plain(opened, kind)
    for region in regions:
        _fill(image, region)
    written = io.BytesIO()
    image.save(written, **_ENCODING[kind])
    return written.getvalue()


def _plain(opened: Image, kind: str) -> Image:
    """The pixels alone: no palette that kept a colour, no metadata, no transparency over black."""
    transparent = "A" in opened.getbands() or "transparency" in opened.info
    mode = "RGBA" if transparent and kind != "jpeg" else "L" if opened.mode == "L" else "RGB"
    plain = opened.convert(mode)
    plain.info.clear()
    return plain


_BLACK: Final[dict[str, int | tuple[int, ...]]] = {
    "L": 0,
    "RGB": (0, 0, 0),
    "RGBA": (0, 0, 0, 255),
}


def _fill(image: Image, region: Box) -> None:
    x1, y1, x2, y2 = region
    if x1 < image.width and y1 < image.height:
        image.paste(_BLACK[image.mode], (x1, y1, min(x2, image.width), min(y2, image.height)))
