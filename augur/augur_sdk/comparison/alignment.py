"""Global alignment of two sequences (Needleman and Wunsch), in a band around the diagonal. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

__all__ = ["Pair", "align"]

T = TypeVar("T")

Pair = tuple[int | None, int | None]
"""The places of two elements that belong together; None where one side has nothing."""

_BUDGET: Final = 4_000_000
"""Cells that are computed at most: a few seconds. Longer sequences get a narrower band."""

_NARROWEST: Final = 64
_DIAGONAL, _UP, _LEFT = 0, 1, 2
_NEVER: Final = float("-inf")


def align(
    a: Sequence[T], b: Sequence[T], score: Callable[[T, T], float], *, gap: float = -1.0
) -> list[Pair]:
    """Align two sequences so that the sum of scores and gaps is the largest.

    Equal beginnings and ends are aligned to each other at once. What is left is aligned optimally
    where it is short (up to 2,000 by 2,000); beyond that optimally among the alignments that stay
    within some 200 elements or more of the diagonal.

    Args:
        a: One sequence.
        b: The other.
        score: How well two elements fit: positive for alike ones, negative for others.
        gap: The price of an element that stands alone, negative.

    Returns:
        Pairs of places, in order; every place occurs exactly once.
    """
    head = _common(zip(a, b, strict=False))
    room = min(len(a), len(b)) - head
    tail = min(room, _common(zip(reversed(a), reversed(b), strict=False)))
    middle = _Table(a[head : len(a) - tail], b[head : len(b) - tail], score, gap).pairs()
    pairs: list[Pair] = [(place, place) for place in range(head)]
    pairs += [(_moved(i, head), _moved(j, head)) for i, j in middle]
    pairs += [(len(a) - place, len(b) - place) for place in range(tail, 0, -1)]
    return pairs


def _common(pairs: zip[tuple[T, T]]) -> int:
    count = 0
    for left, right in pairs:
        if left != right:
            break
        count += 1
    return count


def _moved(place: int | None, by: int) -> int | None:
    return None if place is None else place + by


class _Table:
    """The dynamic programme. Row i knows the cells whose j lies within `reach` of the diagonal."""

    def __init__(
        self, a: Sequence[T], b: Sequence[T], score: Callable[[T, T], float], gap: float
    ) -> None:
        self._rows, self._columns = len(a), len(b)
        self._reach = self._widest()
        self._moves: list[tuple[int, bytearray]] = []
        self._fill(a, b, score, gap)

    def _widest(self) -> int:
        """Half the band: all of it where that is affordable, and always both corners."""
        if self._rows * self._columns <= _BUDGET:
            return self._columns
        affordable = _BUDGET // (2 * self._rows)
        return max(_NARROWEST, affordable, self._columns // self._rows + 1)

    def _bounds(self, i: int) -> tuple[int, int]:
        centre = i * self._columns // self._rows if self._rows else 0
        return max(0, centre - self._reach), min(self._columns, centre + self._reach)

    def _fill(
        self, a: Sequence[T], b: Sequence[T], score: Callable[[T, T], float], gap: float
    ) -> None:
        low, high = self._bounds(0)
        above = [gap * j for j in range(low, high + 1)]
        self._moves.append((low, bytearray([_LEFT]) * len(above)))
        for i in range(1, self._rows + 1):
            start, end = self._bounds(i)
            row: list[float] = []
            moves = bytearray()
            for j in range(start, end + 1):
                at = j - low
                up = above[at] + gap if 0 <= at < len(above) else _NEVER
                left = row[-1] + gap if row else _NEVER
                known = 0 < at <= len(above) and j > 0
                both = above[at - 1] + score(a[i - 1], b[j - 1]) if known else _NEVER
                best = max(both, up, left)
                row.append(best)
                moves.append(_DIAGONAL if best == both else _UP if best == up else _LEFT)
            self._moves.append((start, moves))
            above, low = row, start

    def pairs(self) -> list[Pair]:
        """Walk back from the last cell to the first."""
        found: list[Pair] = []
        i, j = self._rows, self._columns
        while i or j:
            low, moves = self._moves[i]
            move = moves[j - low] if j else _UP
            if move == _LEFT or not i:
                j -= 1
                found.append((None, j))
            elif move == _UP:
                i -= 1
                found.append((i, None))
            else:
                i, j = i - 1, j - 1
                found.append((i, j))
        return found[::-1]
