"""A run that an earlier process left undelivered: its journal, read and acknowledged from outside.

The journal is only locked to write into it, so that a process that resumes the run is not kept
out while its records are sent. What could not be acknowledged is sent again; the server tells
repeats by their keys.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from augur_sdk.bundle import layout
from augur_sdk.bundle.delivery_log import DeliveryLog
from augur_sdk.bundle.delivery_note import remove_note, write_note
from augur_sdk.bundle.journal import JournalFile, Line, Ref, Scan, scan
from augur_sdk.bundle.platform import read_at
from augur_sdk.entry import Kind
from augur_sdk.errors import BundleInUseError, BundleReadError
from augur_sdk.storage.safe_open import open_regular

__all__ = ["SpooledRun", "read_opening"]


@dataclass
class SpooledRun:
    """One journal on disk; plain calls, for a worker thread.

    Attributes:
        root: The bundle's folder.
        run_id: The run.
        session_id: What makes its requests' keys unique: the session that recorded it, or the
            pushes of a finished bundle.
        recorded_by: The session that recorded it.
        log: What of it is delivered.
        counts: How many records of each kind it holds.
    """

    root: Path
    run_id: str
    session_id: str
    recorded_by: str
    log: DeliveryLog
    counts: Mapping[str, int]
    destination: str
    _fd: int

    @classmethod
    def open(cls, root: Path, destination: str) -> Self:
        """Read what the journal holds.

        Args:
            root: The bundle's folder.
            destination: Where it is to be sent: the acknowledgements of others do not count.

        Raises:
            OSError: There is no journal, or it cannot be read.
            BundleReadError: A folder of the bundle is a link to somewhere else.
        """
        _refuse_links(root)
        fd = open_regular(root / layout.JOURNAL, os.O_RDONLY)
        acks = (line.data for line in _lines(fd) if line.kind == Kind.ACK)
        log = DeliveryLog(destination, acks)
        opening: dict[str, Any] = {}
        counts: Counter[str] = Counter()
        for line in _lines(fd):
            log.add(line)
            counts[line.kind] += 1
            if line.kind == Kind.OPEN:
                opening = orjson.loads(line.data)
        log.end(bundle=(root / layout.MANIFEST).exists())
        return cls(
            root,
            str(opening.get("run_id", "")),
            str(opening.get("keys") or opening.get("debug_session_id", "")),
            str(opening.get("debug_session_id", "")),
            log,
            counts,
            str(opening.get("destination", "")),
            fd,
        )

    def read(self, ref: Ref) -> bytes:
        """The JSON of one record.

        Raises:
            OSError: The file is shorter than it was.
        """
        data = read_at(self._fd, ref.length, ref.offset)
        if len(data) != ref.length:
            raise OSError("the journal is shorter than it was")
        return data

    def note(self, where: str) -> None:
        """Write down how far delivery has come; the last record delivered ends the journal.

        Args:
            where: The destination, for people.
        """
        path = self.root / layout.JOURNAL
        if not path.exists():
            return
        journal = JournalFile(path)
        try:
            journal.open()
        except (BundleInUseError, OSError):
            return  # somebody resumed the run, and delivers it
        try:
            self._note(journal, where)
        except OSError:
            return
        finally:
            journal.close()

    def _note(self, journal: JournalFile, where: str) -> None:
        finished = (self.root / layout.MANIFEST).exists()
        if finished and not self.log.pending and self.destination in {"", self.log.destination}:
            journal.path.unlink(missing_ok=True)
            remove_note(self.root)
            return
        # Its own line, whatever the process before left behind.
        journal.append(b"\n" + self.log.ack_line())
        if finished:
            write_note(self.root, self.log, where)

    def close(self) -> None:
        """Let the file go."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def read_opening(journal: Path) -> dict[str, Any]:
    """What a journal's first record says; nothing where it cannot be read."""
    try:
        fd = open_regular(journal, os.O_RDONLY)
    except OSError:
        return {}
    try:
        first = next((line for line in _lines(fd) if line.kind == Kind.OPEN), None)
        return dict(orjson.loads(first.data)) if first is not None else {}
    except (OSError, ValueError):
        return {}
    finally:
        os.close(fd)


def _refuse_links(root: Path) -> None:
    """What is sent from its own file is opened by its path: its folder has to be the bundle's."""
    for part in layout.PATHS.values():
        if (root / part.rstrip("/")).is_symlink():
            raise BundleReadError(
                f"{part} in {root} is a symbolic link, and a bundle holds none",
                fix="If it is your own, put the files themselves there.",
            )


def _lines(fd: int) -> Iterator[Line]:
    with open(os.dup(fd), "rb") as reader:  # noqa: PTH123 - a descriptor
        yield from scan(reader, Scan())
