"""The journal: the truth of a run, append-only, one redacted record a line.

A line is JSON and ends with a newline:

    {"crc":"1c291ca3","seq":7,"kind":"step","step":3,"path":"","item":"s3","data":{...}}

`crc` is the CRC-32 of everything after its own comma. A line that fails it is damage: it is
counted, skipped, and reading goes on at the next newline. Numbers rise along the file; a line
whose number was seen before is a repeated write after a fault, and is skipped too.

A line of kind `ack` is no record: it has the number 0, and says how far delivery has come.
"""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import orjson

from augur_sdk.bundle.layout import belongs
from augur_sdk.bundle.platform import lock_file, read_at
from augur_sdk.entry import Kind
from augur_sdk.errors import BundleInUseError
from augur_sdk.storage.durable import sync_names
from augur_sdk.storage.paths import is_legal
from augur_sdk.storage.safe_open import open_regular

__all__ = ["JournalFile", "Line", "Ref", "Scan", "encode_line", "scan"]

_CRC_END: Final = 18
"""Length of `{"crc":"xxxxxxxx",`."""

_DATA: Final = b',"data":'
_CHUNK: Final = 1024 * 1024
_KINDS: Final = frozenset(kind.value for kind in Kind)
_OPEN_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)


class Ref(NamedTuple):
    """Where a record's JSON stands in the journal, in bytes."""

    offset: int
    length: int


@dataclass(slots=True)
class Line:
    """One intact line."""

    seq: int
    kind: str
    path: str
    item: str
    step_index: int | None
    ref: Ref
    data: bytes


@dataclass(slots=True)
class Scan:
    """What reading a journal found besides its lines."""

    intact: int = 0
    damaged: int = 0
    repeated: int = 0
    missing: int = 0
    unknown: int = 0
    """Intact lines of a kind that a newer version writes; they stay in the journal only."""
    last_seq: int = 0
    end: int = 0


def encode_line(
    seq: int, kind: str, data: bytes, *, path: str = "", item: str = "", step: int | None = None
) -> tuple[bytes, int]:
    """Return a line, and the offset of `data` within it."""
    head = b'"seq":%d,"kind":%s,"step":%s,"path":%s,"item":%s,"data":' % (
        seq,
        orjson.dumps(kind),
        b"null" if step is None else b"%d" % step,
        orjson.dumps(path),
        orjson.dumps(item),
    )
    body = head + data + b"}"
    return b'{"crc":"%08x",' % zlib.crc32(body) + body + b"\n", _CRC_END + len(head)


def scan(file: io.BufferedIOBase | io.RawIOBase, found: Scan) -> Iterator[Line]:
    """Read every intact line from the start; `found` says at the end what was not intact."""
    file.seek(0)
    offset = 0
    rest = b""
    while chunk := file.read(_CHUNK):
        block = rest + chunk
        start = 0
        while (end := block.find(b"\n", start)) >= 0:
            line = _decode(block[start : end + 1], offset + start, found)
            start = end + 1
            if line is not None:
                yield line
        offset += start
        rest = block[start:]
    if rest:
        found.damaged += 1
    found.end = offset


def _decode(raw: bytes, offset: int, found: Scan) -> Line | None:
    if raw == b"\n":
        return None
    line = _parse(raw, offset)
    if line is None:
        found.damaged += 1
        return None
    if line.kind == Kind.ACK:
        return line
    if line.seq <= found.last_seq:
        found.repeated += 1
        return None
    found.missing += line.seq - found.last_seq - 1
    found.last_seq = line.seq
    if line.kind not in _KINDS:
        found.unknown += 1
        return None
    found.intact += 1
    return line


def _parse(raw: bytes, offset: int) -> Line | None:
    body = raw[_CRC_END:-1]
    if raw[:_CRC_END] != b'{"crc":"%08x",' % zlib.crc32(body):
        return None
    cut = body.find(_DATA) + len(_DATA)
    try:
        head: dict[str, Any] = orjson.loads(b"{" + body[: cut - len(_DATA)] + b"}")
        data = body[cut:-1]
        if not _is_sound(head):
            return None
        return Line(
            seq=int(head["seq"]),
            kind=str(head["kind"]),
            path=str(head["path"]),
            item=str(head["item"]),
            step_index=head["step"],
            ref=Ref(offset + _CRC_END + cut, len(data)),
            data=data,
        )
    except (ValueError, KeyError, TypeError):
        return None


def _is_sound(head: dict[str, Any]) -> bool:
    """Whether a line names a step or none, and a file of the bundle or none."""
    step, path = head["step"], head["path"]
    names_step = step is None or (type(step) is int and step >= 0)
    return names_step and (path == "" or (is_legal(path) and belongs(path)))


class JournalFile:
    """The journal's file: opened for appending and reading, locked against other sessions.

    Plain calls on one descriptor, so that the pipeline's threads, a caller at interpreter exit
    and recovery all use it alike. Appends come from one writer at a time.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.raw: io.FileIO | None = None
        self.size: int = 0
        self._torn = False
        self._findable = False

    @property
    def is_open(self) -> bool:
        """Whether the file can be written."""
        return self.raw is not None

    def open(self) -> None:
        """Open or create the file and lock it.

        Raises:
            BundleInUseError: Another live session holds it.
            OSError: The file system refuses, or a link stands there.
        """
        fd = open_regular(self.path, _OPEN_FLAGS)
        if not lock_file(fd):
            os.close(fd)
            raise BundleInUseError(str(self.path.parent))
        self.raw = io.FileIO(fd, "r+")
        self.size = os.fstat(fd).st_size

    def scan(self, found: Scan) -> Iterator[Line]:
        """Read every intact line; a torn last line is closed off, so that appending is safe."""
        with open(os.dup(self.fileno()), "rb") as reader:  # noqa: PTH123 - a descriptor
            yield from scan(reader, found)
        self._torn = found.end != self.size

    def fileno(self) -> int:
        """The descriptor, for what needs one."""
        if self.raw is None:
            raise OSError("the journal is not open")
        return self.raw.fileno()

    def frame(self, lines: bytes) -> bytes:
        """What has to be written so that `lines` stand on lines of their own."""
        return b"\n" + lines if self._torn else lines

    def written(self, count: int) -> None:
        """Take note of an append that succeeded."""
        self.size += count
        self._torn = False

    def mend(self) -> None:
        """After a failed append: cut off what was written of it, or remember the torn line."""
        if self.raw is None:
            return
        try:
            os.ftruncate(self.raw.fileno(), self.size)
        except OSError:
            self._torn = True
            self.size = os.fstat(self.raw.fileno()).st_size

    def append(self, lines: bytes) -> int:
        """Append lines at once; returns the offset of the first.

        Raises:
            OSError: Nothing, or only a torn line that readers skip, was written.
        """
        framed = memoryview(self.frame(lines))
        start = self.size + len(framed) - len(lines)
        try:
            written = 0
            while written < len(framed):
                written += os.write(self.fileno(), framed[written:])
        except OSError:
            self.mend()
            raise
        self.written(len(framed))
        return start

    def read(self, ref: Ref) -> bytes:
        """The JSON of one record.

        Raises:
            OSError: The file is gone or shorter than it was.
        """
        data = read_at(self.fileno(), ref.length, ref.offset)
        if len(data) != ref.length:
            raise OSError("the journal is shorter than it was")
        return data

    def copy_to(self, target: IO[bytes]) -> None:
        """Copy every byte to another file."""
        offset = 0
        while data := read_at(self.fileno(), _CHUNK, offset):
            target.write(data)
            offset += len(data)

    def adopt(self, other: JournalFile) -> None:
        """Go on in another open file."""
        self.close()
        self.raw, self.size = other.raw, os.fstat(other.fileno()).st_size
        self._findable = False

    def sync(self) -> None:
        """Put what was appended through a power cut."""
        getattr(os, "fdatasync", os.fsync)(self.fileno())
        if not self._findable:
            # A file's sync says nothing of its name, nor of the names of new folders above it.
            sync_names(str(self.path.parent))
            self._findable = True

    def moved(self) -> bool:
        """Whether the file at the path is no longer the one that is open."""
        try:
            there = self.path.stat()
        except OSError:
            return True
        mine = os.fstat(self.fileno())
        return (there.st_ino, there.st_dev) != (mine.st_ino, mine.st_dev)

    def close(self) -> None:
        """Close the file and release the lock."""
        raw, self.raw = self.raw, None
        if raw is not None:
            raw.close()
