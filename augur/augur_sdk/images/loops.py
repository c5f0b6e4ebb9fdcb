"""Noticing, while a run goes on, that it goes round in circles.

A loop is a sequence of (action, screen) that has come three times in a row: one step repeated,
or any longer period. Without a picture nothing is called a loop: scrolling ten times is progress
when the screen moves, and a loop when it does not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

__all__ = ["LoopDetector", "action_signature", "hash_distance"]

_REPEATS: Final = 3
_GRID: Final = 8
"""Coordinates are compared in cells of this many units: a model rarely hits one pixel twice."""

_NEAR: Final = 2
"""Perceptual hashes that differ in at most this many of 64 bits show the same screen."""

_PHASH_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class _Seen:
    action: str
    picture: str


class LoopDetector:
    """Fed step by step; memory and time for each step are bounded by `max_period`.

    Not thread-safe: one detector a run, fed from one place.

    Args:
        max_period: The longest loop that is looked for, in steps.
        repeats: How often a sequence has to come in a row, at least 2.
    """

    def __init__(self, *, max_period: int = 64, repeats: int = _REPEATS) -> None:
        if max_period < 1 or repeats < 2:
            raise ValueError("max_period has to be at least 1 and repeats at least 2")
        self.period: int | None = None
        """The length of the loop that the last step was in; None when it was in none."""
        self._repeats = repeats
        self._recent: deque[_Seen | None] = deque(maxlen=max_period)  # newest first
        self._matched = [0] * max_period
        self._last_index: int | None = None

    def feed(self, step_index: int, action: Mapping[str, Any] | None, picture: str | None) -> bool:
        """Take in a step; true when with it the run has gone round the same loop often enough.

        A step fed again (its record was replaced) is not counted twice.

        Args:
            step_index: The step's index.
            action: The step's action record.
            picture: The hash of the screenshot before the step, all of one kind: `phash_64`
                (16 hex digits, compared with tolerance) or any other digest (compared exactly).
        """
        if step_index == self._last_index:
            return self.period is not None
        self._last_index = step_index
        seen = _Seen(action_signature(action), picture) if action and picture else None
        self.period = self._take(seen)
        return self.period is not None

    def _take(self, seen: _Seen | None) -> int | None:
        """Count, for each period, how many steps in a row equal the one a period earlier."""
        found = None
        for place, earlier in enumerate(self._recent):
            self._matched[place] = self._matched[place] + 1 if _alike(seen, earlier) else 0
            period = place + 1
            if found is None and self._matched[place] >= period * (self._repeats - 1):
                found = period
        self._recent.appendleft(seen)
        return found


def action_signature(action: Mapping[str, Any] | None) -> str:
    """Text that is equal for actions that do the same: type and parameters, coordinates coarse."""
    if not action:
        return ""
    kind, params = action.get("type"), action.get("params")
    return orjson.dumps([kind, _coarse(params)], default=repr, option=orjson.OPT_SORT_KEYS).decode()


def hash_distance(a: str, b: str) -> int:
    """The number of bits in which two `phash_64` values differ, 0 to 64.

    Raises:
        ValueError: One of them is not hexadecimal.
    """
    return (int(a, 16) ^ int(b, 16)).bit_count()


def _alike(a: _Seen | None, b: _Seen | None) -> bool:
    return a is not None and b is not None and a.action == b.action and _near(a.picture, b.picture)


def _near(a: str, b: str) -> bool:
    if a == b or len(a) != _PHASH_DIGITS or len(b) != _PHASH_DIGITS:
        return a == b
    try:
        return hash_distance(a, b) <= _NEAR
    except ValueError:
        return False


def _coarse(value: Any) -> Any:
    """The value with its coordinates (x, y, and pairs of numbers) in cells of the grid."""
    if isinstance(value, Mapping):
        return {
            str(key): _cell(item) if key in {"x", "y"} else _coarse(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        pair = len(value) == 2 and all(isinstance(item, int | float) for item in value)
        return [_cell(item) if pair else _coarse(item) for item in value]
    return value


def _cell(value: Any) -> Any:
    return value // _GRID if isinstance(value, int | float) else _coarse(value)
