"""`trace.json`, grown behind the run so that closing does not re-read every step.

Step records are appended to a spool in the form in which the trace holds them. Closing copies
the latest block of each step, in order, behind the session record. The spool is a cache of the
journal: when it cannot be written, the trace is rebuilt from the journal instead.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from augur_sdk.bundle import layout
from augur_sdk.bundle.journal import Ref
from augur_sdk.bundle.packed import RefsByStep
from augur_sdk.bundle.platform import read_at
from augur_sdk.storage.safe_open import open_regular

__all__ = ["TraceSpool", "step_block", "trace_chunks"]

_FLUSH_AT: Final = 256 * 1024
_COPY: Final = 1024 * 1024


class TraceSpool:
    """The step blocks of `trace.json`, in the order in which they were projected."""

    def __init__(self, root: Path) -> None:
        self._path = root / layout.TRACE_SPOOL
        self._fd: int | None = None
        self._blocks = RefsByStep()
        self._pending = bytearray()
        self._size = 0
        self._broken = False

    @property
    def usable(self) -> bool:
        """Whether every block that was added can be read back."""
        return not self._broken

    def add(self, step_index: int, pretty_step: bytes) -> None:
        """Add a step's block; the latest of a step counts."""
        block = step_block(pretty_step)
        self._blocks[step_index] = Ref(self._size, len(block))
        self._size += len(block)
        self._pending += block
        if len(self._pending) >= _FLUSH_AT:
            self._write()

    def blocks(self) -> Iterator[bytes]:
        """Every step's latest block, in step order.

        Raises:
            OSError: The spool cannot be read.
        """
        self._write()
        if self._broken:
            raise OSError("the trace spool could not be written")
        for run in _runs(self._blocks.values()):
            yield from self._cut(run)

    def _cut(self, run: list[Ref]) -> Iterator[bytes]:
        if self._fd is None:
            return
        start = run[0].offset
        data = read_at(self._fd, run[-1].offset + run[-1].length - start, start)
        for offset, length in run:
            yield data[offset - start : offset - start + length]

    def _write(self) -> None:
        data, self._pending = bytes(self._pending), bytearray()
        if self._broken or not data:
            return
        try:
            if self._fd is None:
                # What an earlier process left, or a link to somewhere else, goes first.
                self._path.unlink(missing_ok=True)
                self._fd = open_regular(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
            if os.write(self._fd, data) != len(data):
                self._broken = True
        except OSError:
            self._broken = True

    def discard(self) -> None:
        """Close and remove the spool."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
            self._path.unlink(missing_ok=True)


def step_block(pretty_step: bytes) -> bytes:
    """A step's pretty record as it stands among the steps of `trace.json`."""
    return pretty_step.rstrip(b"\n").replace(b"\n", b"\n    ")


def _runs(refs: Iterable[Ref]) -> Iterator[list[Ref]]:
    """Group blocks that can be read at once: near each other, in rising order, bounded."""
    run: list[Ref] = []
    for ref in refs:
        if run and not (run[-1].offset < ref.offset < run[0].offset + _COPY):
            yield run
            run = []
        run.append(ref)
    if run:
        yield run


def trace_chunks(session: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The bytes of `trace.json`: the session's pretty record, then the steps' blocks."""
    indented = session.rstrip(b"\n").replace(b"\n", b"\n  ")
    yield b'{\n  "session": ' + indented + b',\n  "steps": ['
    buffer = bytearray()
    first = True
    for block in blocks:
        buffer += b"\n    " if first else b",\n    "
        buffer += block
        first = False
        if len(buffer) >= _COPY:
            yield bytes(buffer)
            buffer.clear()
    buffer += b"]\n}\n" if first else b"\n  ]\n}\n"
    yield bytes(buffer)


def digest_and_pass(chunks: Iterator[bytes], take: Callable[[bytes], object]) -> str:
    """Hand chunks on and return the sha256 of all of them, in hex."""
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
        take(chunk)
    return digest.hexdigest()
