"""Filling boxes of a picture before it is hashed, written or sent; what cannot be is withheld."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from augur_sdk.entry import Entry
from augur_sdk.errors import RecordError
from augur_sdk.images.masking import Box, mask_regions, regions_of
from augur_sdk.images.metadata import strip_metadata

__all__ = ["PictureMasking", "PictureWithheldError", "ScreenshotRedactor", "redaction_of"]

logger: logging.Logger = logging.getLogger("augur_sdk")

ScreenshotRedactor = Callable[[bytes, int, str], Iterable[Sequence[float]]]
"""Picture bytes, step index and kind (`pre`, `post`) -> the boxes to fill, perhaps none."""

_ENOUGH: Final = 100_000
"""Boxes taken from a generator: beyond what masking accepts, and short of forever."""


class PictureWithheldError(Exception):
    """A picture that could not be redacted, and is therefore not kept."""


class PictureMasking:
    """What is filled in a session's pictures.

    Fails closed: a redactor that raises or returns anything but boxes, or a picture that cannot
    be decoded, costs the picture, and never an exception outside.

    Args:
        redactor: Says which boxes to fill, besides those that came with the picture.

    Raises:
        RecordError: `redactor` is not a plain function.
    """

    def __init__(self, redactor: ScreenshotRedactor | None = None) -> None:
        if redactor is not None and not callable(redactor):
            raise RecordError("screenshot_redactor cannot be called", expected="a function")
        if inspect.iscoroutinefunction(redactor):
            raise RecordError(
                "screenshot_redactor is async",
                expected="a plain function",
                fix="It runs in a worker thread, where it may block.",
            )
        self.redactor = redactor
        self._said = False

    def apply(self, picture: bytes, entry: Entry) -> tuple[bytes, list[Box]]:
        """The picture as it may be kept, and the boxes that were filled.

        Raises:
            PictureWithheldError: It may not be kept.
        """
        try:
            boxes = [*entry.mask, *self._asked(picture, entry)]
            return mask_regions(_bare(picture), boxes), boxes
        except Exception as error:  # noqa: BLE001 - whatever goes wrong means: not masked
            self._say(error)
            raise PictureWithheldError from None

    def _asked(self, picture: bytes, entry: Entry) -> list[Box]:
        if self.redactor is None:
            return []
        boxes: Any = self.redactor(picture, entry.step_index or 0, entry.item)
        return regions_of(islice(boxes, _ENOUGH) if isinstance(boxes, Iterator) else boxes)

    def _say(self, error: Exception) -> None:
        """Once a session, and only the type: the text may quote what was to be hidden."""
        if not self._said:
            self._said = True
            logger.warning(
                "a screenshot is withheld because it could not be redacted (%s)",
                type(error).__name__,
            )


def _bare(picture: bytes) -> bytes:
    """Without metadata; a container that is damaged is kept as it came, as evidence."""
    try:
        return strip_metadata(picture)
    except RecordError:
        return picture


def redaction_of(boxes: Iterable[Box], policy_id: str) -> dict[str, Any]:
    """An observation's `redaction` (contract/records.md)."""
    regions = [dict(zip(("x1", "y1", "x2", "y2"), box, strict=True)) for box in boxes]
    return {"applied": True, "policy_id": policy_id, "regions": regions}
