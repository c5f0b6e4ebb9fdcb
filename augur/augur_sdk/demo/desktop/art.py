"""The articles' pictures, drawn from a few shapes each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from augur_sdk.demo.desktop.canvas import Box

if TYPE_CHECKING:
    from augur_sdk.demo.desktop.canvas import Canvas

__all__ = ["draw_art"]


class _Pen:
    """Draws around a middle point, at a scale."""

    def __init__(self, canvas: Canvas, middle: tuple[float, float], scale: float) -> None:
        self.canvas, self.scale = canvas, scale
        self.x, self.y = middle

    def at(self, x: float, y: float) -> tuple[float, float]:
        return self.x + x * self.scale, self.y + y * self.scale

    def area(self, left: float, top: float, width: float, height: float) -> Box:
        x, y = self.at(left, top)
        return Box(x, y, width * self.scale, height * self.scale)

    def box(self, area: tuple[float, float, float, float], fill: str, radius: float = 0) -> None:
        self.canvas.box(self.area(*area), fill, radius=radius * self.scale)

    def ellipse(self, area: tuple[float, float, float, float], fill: str) -> None:
        self.canvas.ellipse(self.area(*area), fill)

    def ring(self, area: tuple[float, float, float, float], ink: str, line: float) -> None:
        self.canvas.ellipse(self.area(*area), None, outline=ink, line=line * self.scale)

    def polygon(self, points: list[tuple[float, float]], fill: str) -> None:
        self.canvas.polygon([self.at(*point) for point in points], fill)

    def line(self, points: list[tuple[float, float]], ink: str, width: float) -> None:
        self.canvas.line([self.at(*point) for point in points], ink, width=width * self.scale)


def draw_art(
    canvas: Canvas,
    art: str,
    middle: tuple[float, float],
    ink: str,
    tint: str,
    *,
    scale: float = 1.0,
) -> None:
    """Draw one article's picture (`mug`, `tumbler`, `lamp`, `book` or `pot`) around a point."""
    _ART[art](_Pen(canvas, middle, scale), ink, tint)


def _mug(pen: _Pen, ink: str, tint: str) -> None:
    pen.ring((18, -26, 50, 50), ink, 9)
    pen.box((-46, -44, 88, 92), ink, 16)
    pen.box((-46, -44, 88, 40), ink, 4)
    pen.ellipse((-46, -54, 88, 20), tint)
    pen.ring((-46, -54, 88, 20), ink, 4)
    pen.ellipse((-38, -49, 72, 11), "#4b3a30")


def _tumbler(pen: _Pen, ink: str, _tint: str) -> None:
    pen.polygon([(-36, -36), (36, -36), (27, 60), (-27, 60)], ink)
    pen.box((-42, -50, 84, 16), "#2c3832", 6)
    pen.box((-30, -62, 60, 14), "#2c3832", 5)
    pen.polygon([(-33, -4), (33, -4), (31, 20), (-31, 20)], "#f4f7f5")


def _lamp(pen: _Pen, ink: str, tint: str) -> None:
    pen.line([(-30, 54), (-30, -6), (14, -46)], "#3a3f47", 6)
    pen.box((-58, 50, 58, 10), "#3a3f47", 5)
    pen.polygon([(2, -58), (28, -66), (56, -16), (-2, -8)], ink)
    pen.ellipse((4, -20, 46, 14), "#fff7dc" if tint else ink)


def _book(pen: _Pen, ink: str, tint: str) -> None:
    pen.box((-44, -56, 92, 116), "#d8d3c4", 6)
    pen.box((-50, -58, 92, 116), ink, 7)
    pen.box((-50, -58, 16, 116), "#2b5a46", 5)
    pen.box((-20, -32, 48, 26), tint, 4)


def _pot(pen: _Pen, ink: str, tint: str) -> None:
    for tip in ((-40, -58), (-16, -72), (14, -74), (42, -56)):
        pen.polygon([(-4, 0), tip, (6, 0)], "#4f8a5b")
    pen.polygon([(-40, 4), (40, 4), (30, 56), (-30, 56)], ink)
    pen.box((-46, -8, 92, 18), ink, 5)
    pen.line([(-40, 12), (40, 12)], tint, 3)


_ART = {"mug": _mug, "tumbler": _tumbler, "lamp": _lamp, "book": _book, "pot": _pot}
