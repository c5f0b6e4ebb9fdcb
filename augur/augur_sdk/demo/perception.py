"""Finding things on a screenshot by looking at its pixels, and at nothing else.

A label is looked for the way a template is: it is drawn in the typeface that both demo
applications use, slid over the whole picture, and scored at every position by normalised
cross-correlation (computed with one Fourier transform a label, so a full screen takes
milliseconds). The score does not care about colour, contrast or brightness: dark text on white,
white text on a blue button, and text that shines through a dimmed page are all found.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import ImageFont

    Plane = NDArray[np.float64]

__all__ = ["Screen", "Sighting", "changed_pixels", "look_at", "typeface"]

LABEL_SIZES: Final = (15, 22, 13)
"""Type sizes, in px, that a label may have; the commonest first."""

SEEN: Final = 0.80
"""The score from which a label counts as seen; look-alikes stay under 0.75."""

OVERSAMPLING: Final = 8
"""Labels are drawn this much larger and reduced, so that glyphs can fall between pixels."""

SOFTNESS: Final = 0.8
"""Blur, in px, of picture and label before they are compared: half a pixel's shift matters less."""

FLAT: Final = 1e-4
"""Variance under which a patch of the picture has nothing on it (its score would be noise)."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A label found on a screenshot: its box in screenshot pixels, and how sure we are (0..1)."""

    label: str
    left: int
    top: int
    width: int
    height: int
    score: float

    @property
    def center(self) -> tuple[int, int]:
        """The pixel to click."""
        return self.left + self.width // 2, self.top + self.height // 2

    def distance_to(self, other: Sighting) -> float:
        """Pixels between the two centers."""
        (ax, ay), (bx, by) = self.center, other.center
        return float(((ax - bx) ** 2 + (ay - by) ** 2) ** 0.5)


class Screen:
    """One screenshot, ready to be searched.

    Args:
        png: The encoded picture, any format that Pillow reads.
    """

    def __init__(self, png: bytes) -> None:
        import numpy as np
        from PIL import Image, ImageFilter

        with Image.open(io.BytesIO(png)) as picture:
            grey = picture.convert("L").filter(ImageFilter.GaussianBlur(SOFTNESS))
            self.pixels: Plane = np.asarray(grey, dtype=np.float64) / 255.0
        self.height: int = self.pixels.shape[0]
        self.width: int = self.pixels.shape[1]

    def find(self, label: str) -> list[Sighting]:
        """Every place where `label` stands, the surest first; empty when it is nowhere."""
        for size in LABEL_SIZES:
            if sightings := self._find_at_size(label, size):
                return sightings
        return []

    def best(self, label: str, *, near: str | None = None) -> Sighting | None:
        """The surest sighting of `label`, or the closest one to the label `near`."""
        sightings = self.find(label)
        if near is not None:
            anchor = self.best(near)
            if anchor is None:
                return None
            sightings.sort(key=anchor.distance_to)
        return sightings[0] if sightings else None

    def _find_at_size(self, label: str, size: int) -> list[Sighting]:
        template = draw_label(label, size)
        height, width = template.shape
        if height > self.height or width > self.width:
            return []
        scores = self._scores(template)
        return [
            Sighting(label, left, top, width, height, round(score, 4))
            for left, top, score in _peaks(scores, height, width)
        ]

    def _scores(self, template: Plane) -> Plane:
        """Normalised cross-correlation at every position where the template fits, 0..1."""
        import numpy as np

        height, width = template.shape
        centered = template - template.mean()
        product = self._spectrum * np.conj(np.fft.rfft2(centered, self._fft_shape))
        rows, columns = self.height - height + 1, self.width - width + 1
        correlation = np.fft.irfft2(product, self._fft_shape)[:rows, :columns]
        variance = self._window_variance(height, width)
        norm = np.sqrt(np.maximum(variance, 0) * height * width * float((centered**2).sum()))
        scores = np.zeros_like(correlation)
        np.divide(np.abs(correlation), norm, out=scores, where=variance > FLAT)
        return np.minimum(scores, 1.0)

    def _window_variance(self, height: int, width: int) -> Plane:
        total, squares = (_window_sums(table, height, width) for table in self._integrals)
        area = height * width
        return squares / area - (total / area) ** 2

    @cached_property
    def _fft_shape(self) -> tuple[int, int]:
        return _fast_length(self.height), _fast_length(self.width)

    @cached_property
    def _spectrum(self) -> NDArray[np.complex128]:
        import numpy as np

        return np.fft.rfft2(self.pixels, self._fft_shape)

    @cached_property
    def _integrals(self) -> tuple[Plane, Plane]:
        return _integral(self.pixels), _integral(self.pixels**2)


@lru_cache(maxsize=4)
def look_at(png: bytes) -> Screen:
    """The searchable form of a screenshot; the last few are kept."""
    return Screen(png)


def changed_pixels(before: bytes, after: bytes) -> int:
    """How many pixels differ visibly between two screenshots of the same size."""
    import numpy as np

    first, second = look_at(before).pixels, look_at(after).pixels
    if first.shape != second.shape:
        return max(first.size, second.size)
    return int(np.count_nonzero(np.abs(first - second) > 0.02))


@lru_cache(maxsize=32)
def typeface(size: int) -> ImageFont.FreeTypeFont:
    """The typeface of both demo applications: the one that Pillow brings along.

    Raises:
        RuntimeError: Pillow was built without FreeType.
    """
    from PIL import ImageFont

    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("the demo draws text: it needs a Pillow built with FreeType")  # noqa: TRY004 - the build is wrong, not an argument
    return font


@lru_cache(maxsize=128)
def draw_label(label: str, size: int) -> Plane:
    """A label as it looks on screen at a type size in px: coverage 0..1, cropped to its ink."""
    import numpy as np
    from PIL import Image, ImageDraw, ImageFilter

    font = typeface(size * OVERSAMPLING)
    left, top, right, bottom = (int(edge) for edge in font.getbbox(label))
    padded = (_round_up(right - left), _round_up(bottom - top))
    drawing = Image.new("L", padded, 0)
    ImageDraw.Draw(drawing).text((-left, -top), label, fill=255, font=font)
    soft = drawing.filter(ImageFilter.GaussianBlur(SOFTNESS * OVERSAMPLING)).reduce(OVERSAMPLING)
    return np.asarray(soft, dtype=np.float64) / 255.0


def _round_up(length: int) -> int:
    return -(-length // OVERSAMPLING) * OVERSAMPLING


def _peaks(scores: Plane, height: int, width: int) -> list[tuple[int, int, float]]:
    """The local maxima that count as seen, best first, no two within one label's box."""
    import numpy as np

    scores = scores.copy()
    found: list[tuple[int, int, float]] = []
    while scores.size and float(np.max(scores)) >= SEEN:
        top, left = (int(at) for at in np.unravel_index(int(np.argmax(scores)), scores.shape))
        found.append((left, top, float(scores[top, left])))
        rows = slice(max(0, top - height), top + height)
        scores[rows, max(0, left - width) : left + width] = 0.0
    return found


def _integral(plane: Plane) -> Plane:
    import numpy as np

    table = np.zeros((plane.shape[0] + 1, plane.shape[1] + 1))
    table[1:, 1:] = plane.cumsum(axis=0).cumsum(axis=1)
    return table


def _window_sums(table: Plane, height: int, width: int) -> Plane:
    return (
        table[height:, width:]
        - table[:-height, width:]
        - table[height:, :-width]
        + table[:-height, :-width]
    )


def _fast_length(length: int) -> int:
    """The next length that a Fourier transform is quick at: a product of 2, 3 and 5."""
    while _without_small_factors(length) != 1:
        length += 1
    return length


def _without_small_factors(number: int) -> int:
    for prime in (2, 3, 5):
        while number % prime == 0:
            number //= prime
    return number
