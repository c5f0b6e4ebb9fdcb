"""A drawing surface with smooth edges that remembers where things can be clicked.

Everything is drawn at twice its size and reduced at the end, which smooths text, corners and
lines. Coordinates are those of the finished picture.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal

from PIL import Image, ImageDraw, ImageFilter

from augur_sdk.demo.perception import typeface

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Box", "Canvas", "Hotspot", "gradient"]

SCALE: Final = 2

FINER: Final = 4
"""Text is set this much larger still: at small sizes hinting would round each letter's advance."""

Align = Literal["left", "center", "right"]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the finished picture."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The first pixel column after the box."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """The first pixel row after the box."""
        return self.top + self.height

    @property
    def center(self) -> tuple[float, float]:
        """The middle of the box."""
        return self.left + self.width / 2, self.top + self.height / 2

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies in the box."""
        return self.left <= x < self.right and self.top <= y < self.bottom

    def scaled(self) -> tuple[float, float, float, float]:
        """The box as Pillow wants it on the enlarged drawing, last pixel included."""
        return (
            self.left * SCALE,
            self.top * SCALE,
            self.right * SCALE - 1,
            self.bottom * SCALE - 1,
        )


@dataclass(frozen=True, slots=True)
class Hotspot:
    """A part of the picture that reacts to a click."""

    box: Box
    command: str
    argument: str = ""


class Canvas:
    """A picture being drawn, and its clickable places from the bottom layer to the top one.

    Args:
        background: The enlarged picture to start from; it is copied.
    """

    def __init__(self, background: Image.Image) -> None:
        self._picture = background.copy()
        self._draw = ImageDraw.Draw(self._picture)
        self.hotspots: list[Hotspot] = []

    def box(
        self, box: Box, fill: str, *, radius: float = 0, outline: str | None = None, line: float = 1
    ) -> None:
        """Draw a rectangle with round corners."""
        self._draw.rounded_rectangle(
            box.scaled(), radius * SCALE, fill=fill, outline=outline, width=round(line * SCALE)
        )

    def ellipse(
        self, box: Box, fill: str | None, *, outline: str | None = None, line: float = 1
    ) -> None:
        """Draw an ellipse inside `box`."""
        self._draw.ellipse(box.scaled(), fill=fill, outline=outline, width=round(line * SCALE))

    def polygon(self, points: Sequence[tuple[float, float]], fill: str) -> None:
        """Draw a filled polygon."""
        self._draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=fill)

    def line(self, points: Sequence[tuple[float, float]], fill: str, *, width: float = 1) -> None:
        """Draw a line through the points."""
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        self._draw.line(scaled, fill=fill, width=round(width * SCALE), joint="curve")

    def text(
        self,
        at: tuple[float, float],
        text: str,
        fill: str,
        *,
        size: int = 15,
        align: Align = "left",
    ) -> None:
        """Draw one line of text, vertically centered on `at`."""
        x, y = at
        width = self.text_width(text, size=size)
        left = x - {"left": 0.0, "center": width / 2, "right": width}[align]
        mask = _text_mask(text, size)
        corner = (round(left * SCALE), round(y * SCALE - mask.height / 2))
        self._picture.paste(fill, corner, mask)

    def text_width(self, text: str, *, size: int = 15) -> float:
        """How wide a line of text will be."""
        return typeface(size * SCALE * FINER).getlength(text) / (SCALE * FINER)

    def dim(self, box: Box, fill: str, opacity: float, *, foot_radius: float = 0) -> None:
        """Lay a see-through colour over a part of the picture, its lower corners round."""
        mask = Image.new("L", self._picture.size, 0)
        ImageDraw.Draw(mask).rounded_rectangle(
            box.scaled(),
            foot_radius * SCALE,
            fill=round(opacity * 255),
            corners=(False, False, True, True),
        )
        self._picture.paste(fill, (0, 0), mask)

    def shadow(self, box: Box, *, radius: float, blur: float, opacity: float) -> None:
        """Cast a soft shadow around a box that will be drawn on it."""
        mask = Image.new("L", self._picture.size, 0)
        ImageDraw.Draw(mask).rounded_rectangle(
            box.scaled(), radius * SCALE, fill=round(opacity * 255)
        )
        self._picture.paste("#0b1220", (0, 0), mask.filter(ImageFilter.GaussianBlur(blur * SCALE)))

    def hotspot(self, box: Box, command: str, argument: str = "") -> None:
        """Make a part of the picture clickable; what is added later lies on top."""
        self.hotspots.append(Hotspot(box, command, argument))

    def enlarged(self) -> Image.Image:
        """The drawing at its working size, to start another canvas from."""
        return self._picture

    def png(self) -> bytes:
        """The finished picture."""
        buffer = io.BytesIO()
        self._picture.reduce(SCALE).save(buffer, "PNG", compress_level=3)
        return buffer.getvalue()


@lru_cache(maxsize=128)
def _text_mask(text: str, size: int) -> Image.Image:
    font = typeface(size * SCALE * FINER)
    ascent, descent = font.getmetrics()
    width = math.ceil(font.getlength(text) / FINER) * FINER + FINER
    mask = Image.new("L", (width, math.ceil((ascent + descent) / FINER) * FINER), 0)
    ImageDraw.Draw(mask).text((0, 0), text, fill=255, font=font)
    return mask.reduce(FINER)


@lru_cache(maxsize=1)
def gradient(width: int, height: int) -> Image.Image:
    """An enlarged wallpaper: dusk over water, from deep blue to a warm horizon."""
    stops = [(0, "#1d2b53"), (0.45, "#3a5a8c"), (0.8, "#8f9fc4"), (1, "#e8b7a0")]
    column = Image.new("RGB", (1, height * SCALE))
    for y in range(column.height):
        column.putpixel((0, y), _between(stops, y / column.height))
    return column.resize((width * SCALE, height * SCALE))


def _between(stops: list[tuple[float, str]], at: float) -> tuple[int, int, int]:
    for (low, first), (high, second) in pairwise(stops):
        if at <= high:
            share = (at - low) / (high - low)
            pairs = zip(_rgb(first), _rgb(second), strict=True)
            red, green, blue = (round(a + (b - a) * share) for a, b in pairs)
            return red, green, blue
    return _rgb(stops[-1][1])


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
