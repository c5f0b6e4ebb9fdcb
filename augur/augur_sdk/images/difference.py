"""Where two screenshots differ: the changed parts of the screen as a few rectangles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Region", "changed_regions"]

_NOISE: Final = 16
"""A pixel counts as changed beyond this difference in a channel: lossy encoders stay below it."""

_TILE: Final = 8
"""Changes closer than two tiles belong together: the letters of a word, the rows of a list."""

_MASK: Final = [0] * (_NOISE + 1) + [255] * (255 - _NOISE)


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle in pixels; right and bottom are outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> int:
        """In pixels."""
        return (self.right - self.left) * (self.bottom - self.top)

    @property
    def center(self) -> tuple[float, float]:
        """The middle."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def distance(self, x: float, y: float) -> float:
        """From a point to the nearest edge, in pixels; 0 inside."""
        dx = max(self.left - x, 0.0, x - self.right)
        dy = max(self.top - y, 0.0, y - self.bottom)
        return float((dx * dx + dy * dy) ** 0.5)


def changed_regions(before: Image, after: Image) -> list[Region]:
    """Return the parts of the screen that differ, largest first; none when the two are the same.

    Pictures of different sizes differ everywhere. Both must have the same mode.
    """
    from PIL import ImageChops

    if before.size != after.size:
        return [Region(0, 0, *after.size)]
    mask = _changed_pixels(ImageChops.difference(before, after))
    if mask.getbbox() is None:
        return []
    regions = [_tight(mask, tiles) for tiles in _clusters(mask)]
    return sorted(regions, key=lambda region: (-region.area, region.top, region.left))


def _changed_pixels(difference: Image) -> Image:
    from PIL import ImageChops

    channels = difference.split()
    strongest = channels[0]
    for channel in channels[1:]:
        strongest = ImageChops.lighter(strongest, channel)
    return strongest.point(_MASK)


def _clusters(mask: Image) -> Iterator[Region]:
    """Connected groups of changed tiles, as rectangles in tiles."""
    from PIL import ImageFilter

    tiles = mask.reduce(_TILE).point([0] + [255] * 255)
    near = tiles.filter(ImageFilter.MaxFilter(3)).tobytes()
    width, height = tiles.size
    seen = bytearray(len(near))
    for start, value in enumerate(near):
        if value and not seen[start]:
            yield _flood(near, seen, start, width, height)


def _flood(near: bytes, seen: bytearray, start: int, width: int, height: int) -> Region:
    left = right = start % width
    top = bottom = start // width
    seen[start] = 1
    waiting = [start]
    while waiting:
        at = waiting.pop()
        x, y = at % width, at // width
        left, right = min(left, x), max(right, x)
        top, bottom = min(top, y), max(bottom, y)
        for beside, inside in (
            (at - 1, x > 0),
            (at + 1, x + 1 < width),
            (at - width, y > 0),
            (at + width, y + 1 < height),
        ):
            if inside and near[beside] and not seen[beside]:
                seen[beside] = 1
                waiting.append(beside)
    return Region(left, top, right + 1, bottom + 1)


def _tight(mask: Image, tiles: Region) -> Region:
    """The changed pixels' own bounds inside a rectangle of tiles."""
    left, top = tiles.left * _TILE, tiles.top * _TILE
    right = min(tiles.right * _TILE, mask.width)
    bottom = min(tiles.bottom * _TILE, mask.height)
    inner = mask.crop((left, top, right, bottom)).getbbox()
    if inner is None:  # only where another cluster's tiles reach into this rectangle
        return Region(left, top, right, bottom)
    return Region(left + inner[0], top + inner[1], left + inner[2], top + inner[3])
