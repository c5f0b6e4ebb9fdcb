"""Values by step index in rows, for what a long run has to remember of each step.

A million small objects weigh ten times what they say. Step indexes are mostly near one another;
a value whose index is far from the others goes into a dict.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterator
from typing import Final, Generic, Protocol, TypeVar

__all__ = ["Column", "digests", "numbers", "texts"]

T = TypeVar("T")
D = TypeVar("D")

_EMPTY: Final = 4
_SPARE: Final = 128
"""Three rows of four, and some more, may be empty: a host may number its steps as it likes."""

_DIGEST: Final = 32


class _Rows(Protocol[T]):
    """Values by position: a list, an array."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> T: ...

    def __setitem__(self, index: int, value: T, /) -> None: ...

    def __iter__(self) -> Iterator[T]: ...

    def append(self, value: T, /) -> None: ...

    def extend(self, values: list[T], /) -> None: ...


class Column(Generic[T]):
    """Values by step index; a value is never the `blank` that stands where there is none."""

    def __init__(self, rows: _Rows[T], blank: T) -> None:
        self._rows = rows
        self._blank = blank
        self._far: dict[int, T] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count + len(self._far)

    def __contains__(self, index: int) -> bool:
        return self._near(index) != self._blank or index in self._far

    def __getitem__(self, index: int) -> T:
        value = self._near(index)
        return self._far[index] if value == self._blank else value

    def get(self, index: int, default: D) -> T | D:
        """The value at an index, or the default."""
        value = self._near(index)
        return self._far.get(index, default) if value == self._blank else value

    def __setitem__(self, index: int, value: T) -> None:
        # A value that is replaced is never missing in between: others may be reading.
        if self._put_near(index, value):
            if self._far:
                self._far.pop(index, None)
        else:
            self._far[index] = value
            self._clear_near(index)

    def discard(self, index: int) -> None:
        """Forget the value at an index, if there is one."""
        self._clear_near(index)
        self._far.pop(index, None)

    def items(self) -> Iterator[tuple[int, T]]:
        """The values with their indexes, in the order of the indexes."""
        near = ((at, value) for at, value in enumerate(self._rows) if value != self._blank)
        return heapq.merge(sorted(self._far.items()), near) if self._far else near

    def values(self) -> Iterator[T]:
        """The values in the order of the indexes."""
        return (value for _, value in self.items())

    def _near(self, index: int) -> T:
        return self._rows[index] if 0 <= index < len(self._rows) else self._blank

    def _put_near(self, index: int, value: T) -> bool:
        rows, end = self._rows, len(self._rows)
        try:
            if index == end:  # as most are
                rows.append(value)
                fresh = True
            elif index < 0 or index > _EMPTY * (len(self) + _SPARE):
                return False
            else:
                if index > end:
                    rows.extend([self._blank] * (index + 1 - end))
                fresh = rows[index] == self._blank
                rows[index] = value
        except OverflowError:  # a number too large for a row
            return False
        self._count += fresh
        return True

    def _clear_near(self, index: int) -> None:
        if self._near(index) != self._blank:
            self._rows[index] = self._blank
            self._count -= 1


def numbers() -> Column[int]:
    """A column of whole numbers above zero, eight bytes each; larger ones take more."""
    return Column(array("Q"), 0)


def texts() -> Column[str]:
    """A column of strings that are not empty, eight bytes each where others hold them, too."""
    return Column([], "")


def digests() -> Column[bytes]:
    """A column of sha256 digests, 32 bytes each."""
    return Column(_DigestRows(), bytes(_DIGEST))


class _DigestRows:
    """Rows of 32 bytes."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def __len__(self) -> int:
        return len(self._bytes) // _DIGEST

    def __getitem__(self, index: int) -> bytes:
        return bytes(self._bytes[index * _DIGEST : (index + 1) * _DIGEST])

    def __setitem__(self, index: int, digest: bytes) -> None:
        self._bytes[index * _DIGEST : (index + 1) * _DIGEST] = digest

    def __iter__(self) -> Iterator[bytes]:
        return (self[index] for index in range(len(self)))

    def append(self, digest: bytes) -> None:
        self._bytes += digest

    def extend(self, digests: list[bytes]) -> None:
        self._bytes += b"".join(digests)
