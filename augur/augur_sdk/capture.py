"""Capture modes: how much of a run is kept (contract/api-reference.txt, CaptureMode)."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from enum import StrEnum

from augur_sdk.errors import RecordError

__all__ = ["CAPTURE_MODE_VARIABLE", "CaptureMode", "resolve_capture_mode"]

logger: logging.Logger = logging.getLogger("augur_sdk")

CAPTURE_MODE_VARIABLE = "AUGUR_CAPTURE_MODE"


class CaptureMode(StrEnum):
    """How much of a run is kept, from nothing to everything; modes are ordered.

    `CaptureMode.SCREENSHOTS >= CaptureMode.TRACE` holds, and comparing with a mode's plain
    name works too: `mode >= "trace"`.
    """

    OFF = "off"
    METADATA = "metadata"
    TRACE = "trace"
    SCREENSHOTS = "screenshots"
    VIDEO = "video"
    MODEL_IO = "model_io"
    DISPATCH = "dispatch"
    REPLAY = "replay"
    FULL = "full"

    @property
    def rank(self) -> int:
        """The position in the order, `off` being 0."""
        return _RANK[self._value_]

    def __lt__(self, other: str) -> bool:
        return self.rank < _rank_of(other)

    def __le__(self, other: str) -> bool:
        return self.rank <= _rank_of(other)

    def __gt__(self, other: str) -> bool:
        return self.rank > _rank_of(other)

    def __ge__(self, other: str) -> bool:
        return self.rank >= _rank_of(other)


_RANK = {mode.value: rank for rank, mode in enumerate(CaptureMode)}


def _rank_of(mode: str) -> int:
    known = mode if isinstance(mode, CaptureMode) else _parse(mode, source="capture mode")
    return known.rank


def _parse(mode: CaptureMode | str, *, source: str) -> CaptureMode:
    try:
        return CaptureMode(str(mode).strip().lower())
    except ValueError:
        raise RecordError(
            f"the {source} is not a capture mode",
            expected="one of " + ", ".join(member.value for member in CaptureMode),
        ) from None


def resolve_capture_mode(
    explicit: CaptureMode | str | None = None,
    *,
    env: Mapping[str, str] | None = None,
) -> CaptureMode:
    """Resolve the mode of a session: the argument, else AUGUR_CAPTURE_MODE, else `off`.

    Args:
        explicit: A mode, or its name in any case; None means that nobody chose in code.
        env: The environment to read; the process's own by default.

    Raises:
        ValueError: The argument is not the name of a mode. A variable that is none is warned
            about, and stands for `off`.
    """
    if explicit is not None:
        return _parse(explicit, source="capture_mode argument")
    chosen = (os.environ if env is None else env).get(CAPTURE_MODE_VARIABLE, "").strip()
    if not chosen:
        return CaptureMode.OFF
    try:
        return _parse(chosen, source=f"{CAPTURE_MODE_VARIABLE} variable")
    except RecordError as error:
        logger.warning("%s; capture_mode is off", error)
        return CaptureMode.OFF
