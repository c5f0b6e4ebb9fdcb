"""The canonical steps of a bundle as a sequence that reads each step when it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, overload

import orjson

from augur_sdk.diagnostics.trace_index import TraceIndex
from augur_sdk.errors import BundleReadError

__all__ = ["StepFiles", "StepSource", "Steps", "TraceFile", "parsed"]

Step = dict[str, Any]


class StepSource(Protocol):
    """Where steps are read from, by their place in the run."""

    def __len__(self) -> int: ...

    def read(self, places: Iterable[int]) -> Iterator[Step]:
        """Yield the steps at these places, in the order given."""
        ...


class Steps(Sequence[Step]):
    """A list of steps that holds none of them; a slice is one more such list.

    Each access gives a fresh dict, so that a rule which changes one harms nobody.
    """

    def __init__(self, source: StepSource, places: range | None = None) -> None:
        self._source = source
        self._places = range(len(source)) if places is None else places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, at: int) -> Step: ...
    @overload
    def __getitem__(self, at: slice) -> Steps: ...
    def __getitem__(self, at: int | slice) -> Step | Steps:
        if isinstance(at, slice):
            return Steps(self._source, self._places[at])
        return next(self._source.read([self._places[at]]))

    def __iter__(self) -> Iterator[Step]:
        return self._source.read(self._places)

    def __reversed__(self) -> Iterator[Step]:
        return self._source.read(reversed(self._places))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str | bytes):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # as a list's, which it stands for

    def __repr__(self) -> str:
        return f"<{len(self)} steps>"


class TraceFile:
    """The steps inside a `trace.json`."""

    def __init__(self, path: Path, index: TraceIndex) -> None:
        self._path = path
        self._index = index

    def __len__(self) -> int:
        return len(self._index.offsets)

    def read(self, places: Iterable[int]) -> Iterator[Step]:
        """Yield the steps at these places.

        Raises:
            BundleReadError: a step is not a JSON object.
        """
        with self._path.open("rb") as file:
            for place in places:
                file.seek(self._index.offsets[place])
                yield parsed(file.read(self._index.lengths[place]), self._path.name)


class StepFiles:
    """The steps in files of their own, for a bundle without a trace."""

    def __init__(self, root: Path, paths: Sequence[str]) -> None:
        self._root = root
        self._paths = paths

    def __len__(self) -> int:
        return len(self._paths)

    def read(self, places: Iterable[int]) -> Iterator[Step]:
        """Yield the steps at these places.

        Raises:
            BundleReadError: a file does not hold a JSON object.
        """
        for place in places:
            yield parsed((self._root / self._paths[place]).read_bytes(), self._paths[place])


def parsed(raw: bytes, path: str) -> dict[str, Any]:
    """Parse one JSON object.

    Raises:
        BundleReadError: it is none; the message names `path` only.
    """
    try:
        record = orjson.loads(raw)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise BundleReadError(f"{path} holds a record that is not a JSON object")
    return record
