"""Where records stand and what files hash to, in few bytes each.

Paths that differ in nothing but a step's index share a column and are not kept themselves.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator
from typing import Final, Generic, TypeVar

from augur_sdk.bundle.columns import Column, digests, numbers
from augur_sdk.bundle.journal import Ref

__all__ = ["ByPath", "Digests", "LineRefs", "RefsByPath", "RefsByStep", "line_refs_by_path"]

T = TypeVar("T")

_LENGTH_BITS: Final = 32
_LENGTH_MASK: Final = (1 << _LENGTH_BITS) - 1

_OF_A_STEP: Final = re.compile(
    r"((?:steps|events|screenshots|modelio)/|logs/step-)([0-9]{4}|[1-9][0-9]{4,16})([._-].*)"
)
_FAMILIES: Final = 32
"""Columns at most: names from outside, as of a model call's layer, are few or not in columns."""


def _packed(ref: Ref) -> int:
    return ref.offset << _LENGTH_BITS | ref.length


def _unpacked(packed: int) -> Ref:
    return Ref(packed >> _LENGTH_BITS, packed & _LENGTH_MASK)


class RefsByStep:
    """Where a record of each step stands, by step index."""

    def __init__(self) -> None:
        self._packed = numbers()

    def __len__(self) -> int:
        return len(self._packed)

    def __contains__(self, index: int) -> bool:
        return index in self._packed

    def __getitem__(self, index: int) -> Ref:
        return _unpacked(self._packed[index])

    def __setitem__(self, index: int, ref: Ref) -> None:
        self._packed[index] = _packed(ref)

    def values(self) -> Iterator[Ref]:
        """The steps' records in order."""
        return map(_unpacked, self._packed.values())


class ByPath(Generic[T]):
    """Values by path."""

    def __init__(self, column: Callable[[], Column[T]]) -> None:
        self._column = column
        self._families: dict[tuple[str, str], Column[T]] = {}
        self._others: dict[str, T] = {}

    def __contains__(self, path: str) -> bool:
        return self.get(path) is not None

    def __iter__(self) -> Iterator[str]:
        return (path for path, _ in self.items())

    def get(self, path: str) -> T | None:
        """The value for a path, if there is one."""
        family, index = self._place(path)
        return self._others.get(path) if family is None else family.get(index, None)

    def __getitem__(self, path: str) -> T:
        value = self.get(path)
        if value is None:
            raise KeyError(path)
        return value

    def __setitem__(self, path: str, value: T) -> None:
        family, index = self._place(path)
        if family is None:
            self._others[path] = value
        else:
            family[index] = value

    def discard(self, path: str) -> None:
        """Forget a path, if it is known."""
        family, index = self._place(path)
        if family is None:
            self._others.pop(path, None)
        else:
            family.discard(index)

    def items(self) -> Iterator[tuple[str, T]]:
        """The values with their paths, column by column."""
        yield from self._others.items()
        for (before, after), column in self._families.items():
            for index, value in column.items():
                yield f"{before}{index:04d}{after}", value

    def of_prefix(self, prefix: str) -> list[str]:
        """The paths that begin so; `prefix` names a step in full, and more, as in `a/0001-`."""
        found = [path for path in self._others if path.startswith(prefix)]
        if parts := _OF_A_STEP.fullmatch(prefix):
            before, number, begin = parts.groups()
            found += [
                f"{before}{number}{after}"
                for (folder, after), column in self._families.items()
                if folder == before and after.startswith(begin) and int(number) in column
            ]
        return found

    def _place(self, path: str) -> tuple[Column[T] | None, int]:
        parts = _OF_A_STEP.fullmatch(path)
        if parts is None:
            return None, 0
        key = parts[1], parts[3]
        family = self._families.get(key)
        if family is None and len(self._families) < _FAMILIES:
            family = self._families[key] = self._column()
        return family, int(parts[2])


class RefsByPath:
    """Where the record of each file stands, by path."""

    def __init__(self) -> None:
        self._packed = ByPath(numbers)

    def __contains__(self, path: str) -> bool:
        return path in self._packed

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def get(self, path: str) -> Ref | None:
        """Where the file's record stands, if there is one."""
        packed = self._packed.get(path)
        return None if packed is None else _unpacked(packed)

    def __getitem__(self, path: str) -> Ref:
        return _unpacked(self._packed[path])

    def __setitem__(self, path: str, ref: Ref) -> None:
        self._packed[path] = _packed(ref)

    def of_prefix(self, prefix: str) -> list[str]:
        """The files whose paths begin so; `prefix` names a step in full, and more."""
        return self._packed.of_prefix(prefix)

    def discard(self, path: str) -> None:
        """Forget a file, if it is known."""
        self._packed.discard(path)


class Digests(ByPath[bytes]):
    """The sha256 of each file, by path."""

    def __init__(self) -> None:
        super().__init__(digests)

    def in_hex(self) -> dict[str, str]:
        """Every file's digest in hex."""
        return {path: digest.hex() for path, digest in self.items()}


class LineRefs:
    """Where the records stand that are the lines of one file, and of which step each speaks."""

    __slots__ = ("_cells",)

    def __init__(self) -> None:
        self._cells = array("Q")

    def __len__(self) -> int:
        return len(self._cells) // 3

    def append(self, ref: Ref, step_index: int | None) -> None:
        """Add a line."""
        step = 0 if step_index is None else step_index + 1
        self._cells.extend((ref.offset, ref.length, step))

    def since(self, count: int) -> list[Ref]:
        """The lines after the first `count`."""
        cells = self._cells[3 * count :]
        return list(map(Ref, cells[::3], cells[1::3]))

    def without(self, step_index: int | None) -> LineRefs:
        """The lines that speak of other steps."""
        kept = LineRefs()
        step = 0 if step_index is None else step_index + 1
        for at in range(0, len(self._cells), 3):
            if self._cells[at + 2] != step:
                kept._cells.extend(self._cells[at : at + 3])
        return kept


_NO_LINES: Final = LineRefs()


def line_refs_by_path() -> ByPath[LineRefs]:
    """The lines of each file, by path."""
    return ByPath(lambda: Column([], _NO_LINES))
