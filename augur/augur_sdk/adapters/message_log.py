"""A log of messages on disk: one JSON document, or one record a line in flat memory.

A line that cannot be read costs itself only: it is counted, remembered with its number while there
are few, and skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from augur_sdk.adapters.plain import objects_in
from augur_sdk.errors import RecordError

__all__ = ["LINE_SUFFIXES", "MessageLog", "Reshape", "SkippedRecords", "open_log"]

Record = dict[str, Any]
Reshape = Callable[[Iterator[Record], "SkippedRecords"], Iterator[Record]]
"""Turns a log's records into the messages that `iter_tool_calls` reads."""

LINE_SUFFIXES: Final = frozenset({".jsonl", ".ndjson"})
MAX_LINE_BYTES: Final = 256 * 1024 * 1024
"""A log that lost its line breaks must not fill the memory; real lines hold a few screenshots."""

_LISTS: Final = ("messages", "items", "input")
_NOT_METADATA: Final = frozenset({*_LISTS, "metadata"})

REMEMBERED: Final = 20
"""Enough to see what went wrong; the count tells how often."""


@dataclass(slots=True)
class SkippedRecords:
    """Records of a log that were passed over, and why."""

    count: int = 0
    first: list[tuple[int, str]] = field(default_factory=list)
    """(line number, reason) of the first few."""
    current: int = 0
    """The number of the record being read, from 1."""

    def skip(self, reason: str) -> None:
        """Count the current record as skipped."""
        self.count += 1
        if len(self.first) < REMEMBERED:
            self.first.append((self.current, reason))


class MessageLog(Iterable[Record]):
    """The messages of a log, made as they are asked for; `skipped` tells what was passed over.

    A file with one record a line is read again each time, and at most one line of it is held.

    Args:
        path: The log.
        reshape: Turns its records into messages; without it they are the messages.
        listed: The records, where the file is one document that was read already.
    """

    def __init__(
        self, path: Path, reshape: Reshape | None = None, listed: list[Any] | None = None
    ) -> None:
        self.path = path
        self.skipped: SkippedRecords = SkippedRecords()
        self._reshape = reshape
        self._listed = listed

    def __repr__(self) -> str:
        return f"<MessageLog {self.path.name}, {self.skipped.count} records skipped>"

    def __iter__(self) -> Iterator[Record]:
        self.skipped = SkippedRecords()
        listed = self._listed
        records = (
            _records(self.path, self.skipped)
            if listed is None
            else _records_of(listed, self.skipped)
        )
        return self._reshape(records, self.skipped) if self._reshape else records


def open_log(path: Path, reshape: Reshape | None = None) -> tuple[Iterable[Record], Record]:
    """Open a log: the messages, and what the log says of the whole run.

    A JSON file holds `{"messages": [...], "metadata": {...}}` or the list alone; other keys beside
    `messages` (a request as it was sent: `model`, `system`, `tools`, `input`) count as metadata.
    A `.jsonl` file holds a message a line; a first line `{"metadata": {...}}` is the metadata.

    Raises:
        ValueError: The file is not JSON, or holds no messages.
        OSError: The file cannot be read.
    """
    if path.suffix.lower() in LINE_SUFFIXES:
        return MessageLog(path, reshape), _metadata_line(path)
    listed, metadata = _parts(_document(path), path)
    if reshape is None:
        return objects_in(listed), metadata
    return MessageLog(path, reshape, listed), metadata


def _records(path: Path, skipped: SkippedRecords) -> Iterator[Record]:
    with path.open("rb") as file:
        for skipped.current, line in enumerate(_lines(file), start=1):
            record = _parse(line, skipped)
            if record is not None and set(record) != {"metadata"}:
                yield record


def _records_of(listed: list[Any], skipped: SkippedRecords) -> Iterator[Record]:
    for skipped.current, item in enumerate(listed, start=1):
        if isinstance(item, dict):
            yield item
        else:
            skipped.skip(f"a {type(item).__name__}, not an object")


def _lines(file: IO[bytes]) -> Iterator[bytes | None]:
    """Lines, and None for one that is too long to hold."""
    while line := file.readline(MAX_LINE_BYTES):
        if line.endswith(b"\n") or len(line) < MAX_LINE_BYTES:
            yield line
            continue
        while (rest := file.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
            pass
        yield None


def _parse(line: bytes | None, skipped: SkippedRecords) -> Record | None:
    import orjson

    if line is None:
        skipped.skip(f"longer than {MAX_LINE_BYTES} bytes")
        return None
    if not line.strip():
        return None
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        skipped.skip(f"not JSON: {error.msg} at column {error.colno}")
        return None
    if not isinstance(record, dict):
        skipped.skip(f"a JSON {type(record).__name__}, not an object")
        return None
    return record


def _metadata_line(path: Path) -> Record:
    with path.open("rb") as file:
        first = next((line for line in _lines(file) if line is None or line.strip()), None)
    record = _parse(first, SkippedRecords()) if first else None
    found = record.get("metadata") if record and set(record) == {"metadata"} else None
    return found if isinstance(found, dict) else {}


def _document(path: Path) -> Any:
    import orjson

    try:
        return orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise RecordError(
            f"{path.name} is not JSON ({error.msg}, line {error.lineno})",
            expected='{"messages": [...], "metadata": {...}}',
            fix="A log with one record a line needs the suffix .jsonl.",
        ) from None


def _parts(document: Any, path: Path) -> tuple[list[Any], Record]:
    if isinstance(document, list):
        return document, {}
    if isinstance(document, dict) and isinstance(document.get("output"), list):
        return [document], {}
    listed = _listed(document) if isinstance(document, dict) else None
    if listed is None:
        raise RecordError(f"{path.name} holds no list of messages", expected='{"messages": [...]}')
    beside = {key: value for key, value in document.items() if key not in _NOT_METADATA}
    metadata = document.get("metadata")
    return listed, beside | (metadata if isinstance(metadata, dict) else {})


def _listed(document: Record) -> list[Any] | None:
    found = (document[name] for name in _LISTS if isinstance(document.get(name), list))
    return next(found, None)
