"""What a long run has to remember of each step and file, in few bytes.

A million small objects weigh ten times what they say. Step indexes are mostly near one another,
so what belongs to them stands in rows; what does not fit a row goes into a dict.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterator, MutableMapping
from typing import Final, Generic, Protocol, TypeVar

from augur_sdk.bundle import layout
from augur_sdk.bundle.journal import Ref

__all__ = ["Column", "Digests", "RefsByPath", "RefsByStep", "numbers", "texts"]

T = TypeVar("T")

_SPARE: Final = 512
"""Half of the rows, and these, may be empty: a host may number its steps as it likes."""

_LENGTH_BITS: Final = 32
_LENGTH_MASK: Final = (1 << _LENGTH_BITS) - 1
_DIGEST: Final = 32
_STEPS: Final = layout.PATHS["steps"]


class _Rows(Protocol[T]):
    """Values by position: a list, an array."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> T: ...

    def __setitem__(self, index: int, value: T, /) -> None: ...

    def __iter__(self) -> Iterator[T]: ...

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

    def get(self, index: int, default: T) -> T:
        """The value at an index, or the default."""
        value = self._near(index)
        return self._far.get(index, default) if value == self._blank else value

    def __setitem__(self, index: int, value: T) -> None:
        # A value that is replaced is never missing in between: others may be reading.
        if self._put_near(index, value):
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
        if index < 0:
            return False
        if index >= len(self._rows):
            if index > 2 * (len(self) + _SPARE):
                return False
            self._rows.extend([self._blank] * (index + 1 - len(self._rows)))
        fresh = self._rows[index] == self._blank
        try:
            self._rows[index] = value
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


class RefsByPath(MutableMapping[str, Ref]):
    """Where the record of each file stands, by path."""

    def __init__(self) -> None:
        self._packed: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._packed)

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def __getitem__(self, path: str) -> Ref:
        return _unpacked(self._packed[path])

    def __setitem__(self, path: str, ref: Ref) -> None:
        self._packed[path] = _packed(ref)

    def __delitem__(self, path: str) -> None:
        del self._packed[path]


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

    def extend(self, digests: list[bytes]) -> None:
        self._bytes += b"".join(digests)


class Digests:
    """The sha256 of each file, by path. The steps' paths follow from their indexes."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}
        self._steps: Column[bytes] = Column(_DigestRows(), bytes(_DIGEST))

    def __contains__(self, path: str) -> bool:
        index = _step_index(path)
        return path in self._files if index is None else index in self._steps

    def __setitem__(self, path: str, digest: bytes) -> None:
        index = _step_index(path)
        if index is None:
            self._files[path] = digest
        else:
            self._steps[index] = digest

    def discard(self, path: str) -> None:
        """Forget a file, if it is known."""
        index = _step_index(path)
        if index is None:
            self._files.pop(path, None)
        else:
            self._steps.discard(index)

    def in_hex(self) -> dict[str, str]:
        """Every file's digest in hex."""
        found = {path: digest.hex() for path, digest in self._files.items()}
        for index, digest in self._steps.items():
            found[layout.step_path(index)] = digest.hex()
        return found


def _step_index(path: str) -> int | None:
    """The index of the step whose only file this is; None for any other file."""
    if not path.startswith(_STEPS):
        return None
    number = path[len(_STEPS) : -len(".json")]
    if not number.isdecimal() or layout.step_path(int(number)) != path:
        return None
    return int(number)
