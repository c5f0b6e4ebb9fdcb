"""The archive: the journal and the bundle of one run, written together by plain calls.

Everything here is synchronous and belongs to one caller at a time: the pipeline's worker
thread, or at interpreter exit the thread that finishes what is left. A batch goes through
`prepare` (redact, encode, put pictures on disk), an append to the journal, and `commit`; files
follow in `project`.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import orjson

from augur_sdk.bundle import layout
from augur_sdk.bundle.canonical import pretty
from augur_sdk.bundle.catalog import Catalog
from augur_sdk.bundle.faults import Fault, fault_of
from augur_sdk.bundle.finalize import finalize, write_schemas
from augur_sdk.bundle.journal import JournalFile, Line, Ref, Scan, encode_line
from augur_sdk.bundle.picture_masking import (
    PictureMasking,
    PictureWithheldError,
    redaction_of,
)
from augur_sdk.bundle.projection import Projection
from augur_sdk.entry import Entry, Kind
from augur_sdk.storage import LocalFSStore
from augur_sdk.storage.twins import Twins

__all__ = ["Archive", "Door", "Prepared"]

logger: logging.Logger = logging.getLogger("augur_sdk")

KNOWN_PICTURES = 4096
"""Pictures at most that one which comes again is linked to; an older one is stored again."""


class Door(Protocol):
    """Redaction, as far as the archive knows it."""

    def record(self, kind: str, raw: bytes, *, place: str | None = None) -> bytes:
        """Redacted, canonical, compact JSON of a record; `place` is the file it is for."""
        ...

    def text(self, text: str) -> str:
        """Redacted text."""
        ...


@dataclass
class Prepared:
    """A batch, redacted and encoded, that only has to be appended to the journal."""

    data: bytearray = field(default_factory=bytearray)
    lines: list[Line] = field(default_factory=list)
    lost: list[tuple[Entry, Fault]] = field(default_factory=list)
    last_seq: int = 0
    notes: int = 0
    """Lines that stand for a lost picture."""


class Archive:
    """One run's journal and bundle in a local folder."""

    def __init__(
        self,
        root: Path,
        door: Door,
        *,
        policy_id: str,
        inspect: Callable[[Kind, bytes], None] | None = None,
        masking: PictureMasking | None = None,
        report: Callable[[], dict[str, Any]] | None = None,
        perceptual_hashes: bool = True,
        fingerprint: str = "cua_v1",
    ) -> None:
        self.root = root
        self.files: LocalFSStore = LocalFSStore(root)
        self.journal: JournalFile = JournalFile(root / layout.JOURNAL)
        self.policy_id = policy_id
        self.lock: threading.RLock = threading.RLock()
        self.scanned: Scan = Scan()
        self._door = door
        self._inspect = inspect
        self._masking = masking or PictureMasking()
        self._report = report
        self._perceptual_hashes = perceptual_hashes
        self._fingerprint = fingerprint
        self._uninspected: deque[tuple[Kind, Ref]] = deque()
        self._seq_base = 0
        self._pictures: Twins[bytes] = Twins(KNOWN_PICTURES)
        self._unsynced = False
        self._syncing = threading.Lock()
        self.conclude: Callable[[], bool] = bool
        self._begin()

    def _begin(self) -> None:
        self.catalog: Catalog = Catalog()
        self.projection: Projection = Projection(
            self.root,
            self.files,
            self.journal,
            self.catalog,
            perceptual_hashes=self._perceptual_hashes,
        )

    def open(self) -> None:
        """Create the folder, open the journal and read what an earlier process left in it.

        Raises:
            BundleInUseError: Another live session writes there.
            OSError: The file system refuses; the call can be repeated.
        """
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.journal.open()
        # Entries are numbered from 1 in every process; the journal goes on where it ended.
        self._seq_base = self._read_journal().last_seq
        if self.scanned.intact:
            self.files.clear_temporary()  # what a killed process was in the middle of writing

    def _read_journal(self) -> Scan:
        self.scanned = Scan()
        for line in self.journal.scan(self.scanned):
            self.catalog.add(line)
        self.projection.inherited = self.scanned.end
        return self.scanned

    def lines(self) -> Iterator[Line]:
        """Every intact record of the journal in order, read anew."""
        return self.journal.scan(Scan())

    def prepare(self, batch: list[Entry]) -> Prepared:
        """Redact and encode a batch, and put its pictures on disk.

        Raises:
            OSError: The disk as a whole is at fault; the same batch can be prepared again.
        """
        prepared = Prepared()
        for entry in batch:
            prepared.last_seq = entry.seq
            try:
                self._prepare_entry(entry, prepared)
            except OSError as error:
                fault = fault_of(error)
                if fault.passing:
                    raise
                prepared.lost.append((entry, fault))
            except Exception:
                # A fault of ours in one record must not cost its neighbours.
                logger.exception("a record could not be prepared and is lost")
                prepared.lost.append((entry, Fault.INTERNAL))
        return prepared

    def _prepare_entry(self, entry: Entry, prepared: Prepared) -> None:
        try:
            body = self._with_picture(entry)
        except PictureWithheldError:
            prepared.lost.append((entry, Fault.REDACTION))
            prepared.notes += 1
            body = b"{}"
            entry = Entry(
                Kind.WITHHELD, body, entry.path, step_index=entry.step_index, seq=entry.seq
            )
        data = self._door.record(entry.kind.value, body, place=self._place(entry))
        item = self._door.text(entry.item) if entry.item else ""
        seq = self._seq_base + entry.seq
        line, offset = encode_line(
            seq, entry.kind.value, data, path=entry.path, item=item, step=entry.step_index
        )
        ref = Ref(len(prepared.data) + offset, len(data))
        prepared.lines.append(
            Line(seq, entry.kind.value, entry.path, item, entry.step_index, ref, b"")
        )
        prepared.data += line

    def _place(self, entry: Entry) -> str | None:
        """The file that a record is for, where somebody wants to know."""
        if self._report is None:
            return None
        if entry.kind is Kind.STEP:
            return layout.step_path(entry.step_index or 0)
        return entry.path or layout.TRACE

    def _with_picture(self, entry: Entry) -> bytes:
        """The entry's body, its picture being on disk.

        Raises:
            PictureWithheldError: The picture may not be kept.
        """
        picture = entry.blob
        if picture is None and not entry.source:
            return entry.body
        if picture is None and self._masking.redactor is None:
            return self._adopt_picture(entry.path, entry.source, entry.body)
        picture, boxes = self._masking.apply(
            _foreign_picture(entry.source) if picture is None else picture, entry
        )
        if not boxes:
            if entry.source:
                return self._adopt_picture(entry.path, entry.source, entry.body)
            return self._store_picture(entry.path, picture, entry.body)
        facts = orjson.loads(entry.body)
        facts["redaction"] = redaction_of(boxes, self.policy_id)
        return self._store_picture(entry.path, picture, orjson.dumps(facts))

    def _store_picture(self, path: str, picture: bytes, facts: bytes) -> bytes:
        """Write a picture, or link it where the same one is there already."""
        digest = hashlib.sha256(picture).digest()
        twin = self._pictures.path_of(digest)
        if twin is None or twin == path or not self._linked(twin, path):
            self.files.write_bytes(path, picture)
        self._pictures.remember(path, digest)
        self._unsynced = True
        return orjson.dumps({**orjson.loads(facts), "hashes": {"sha256": digest.hex()}})

    def _adopt_picture(self, path: str, source: str, facts: bytes) -> bytes:
        """Link another bundle's picture, or copy it where the file system cannot link."""
        try:
            with open(source, "rb") as picture:  # noqa: PTH123 - for every picture of a long run
                digest = hashlib.file_digest(picture, "sha256").hexdigest()
        except OSError as error:
            # The other bundle's disk is not ours: waiting for it would hold up the run.
            raise OSError(errno.EINVAL, "the parent's picture cannot be read") from error
        self.files.link(source, path)
        self._unsynced = True
        record = orjson.loads(facts)
        known = record.pop("hashes", None) or {}
        if known.get("sha256") != digest:
            known = {"sha256": digest}
        return orjson.dumps({**record, "hashes": known})

    def _linked(self, twin: str, path: str) -> bool:
        try:
            self.files.link(self.files.path(twin), path)
        except OSError:
            return False
        return True

    def commit(self, prepared: Prepared, start: int) -> None:
        """Take note that a batch stands in the journal from byte `start` on."""
        with self.lock:
            for line in prepared.lines:
                line.ref = Ref(line.ref.offset + start, line.ref.length)
                self.catalog.add(line)
                if line.kind == Kind.SCREENSHOT:
                    self.projection.expect_picture(line.path)
                if self._inspect is not None:
                    self._uninspected.append((Kind(line.kind), line.ref))

    def project(self, budget: float) -> bool:
        """Write bundle files for at most about `budget` seconds; True when none is left.

        Raises:
            OSError: The disk refuses; what was not written stays to be written.
        """
        deadline = time.monotonic() + budget
        self._inspect_stored(deadline)
        while True:
            with self.lock:
                target = self.catalog.next_dirty()
            if target is None:
                return True
            try:
                self.projection.project(target)
            except OSError as error:
                if fault_of(error).passing:
                    with self.lock:
                        self.catalog.dirty_again(target)
                    raise
            except Exception:
                logger.exception("%s could not be projected", target.path or target.step_index)
            if time.monotonic() >= deadline:
                return not (self.catalog.dirty or self._uninspected)

    def _inspect_stored(self, deadline: float) -> None:
        """Check what was stored against its schema, behind the journal: checks only warn."""
        while self._uninspected and self._inspect is not None:
            kind, ref = self._uninspected[0]
            self._inspect(kind, self.journal.read(ref))
            self._uninspected.popleft()
            if time.monotonic() >= deadline:
                return

    def write_schemas(self) -> None:
        """Copy the schemas into the bundle while the run is young."""
        write_schemas(self.projection)

    def load_step(self, step_index: int) -> bytes | None:
        """The canonical step's record as the journal holds it; None when it holds none."""
        if step_index not in self.catalog.steps:
            return None
        try:
            return self.journal.read(self.catalog.steps[step_index])
        except OSError:
            return None

    def finish(self, *, recovering: bool = False) -> dict[str, Any]:
        """Project what is left and finish the bundle.

        Raises:
            OSError: The disk refuses; the call can be repeated.
        """
        self.project(float("inf"))
        while self.conclude():  # whoever watched the run has recorded more
            self.project(float("inf"))
        session = self.projection.read_session()
        missing = self.catalog.withheld | self.projection.lost
        if self._report is not None:
            self.projection.write(layout.REDACTION_REPORT, pretty(self._report()))
        if recovering:
            missing |= {p for p in self.projection.unresolved if not self.files.exists(p)}
        return finalize(
            self.files,
            self.projection,
            session,
            policy_id=self.policy_id,
            missing=missing,
            fingerprint=self._fingerprint,
            adopt_pictures=recovering,
        )

    def rebuild_if_moved(self) -> int:
        """Start over where the folder was taken away under the run; returns the pictures lost.

        The journal's content is still there behind the open descriptor: it becomes the new
        folder's journal, and every file is projected again.

        Raises:
            OSError: The folder cannot be made again yet.
        """
        if not self.journal.is_open:
            self.open()
            return 0
        if not self.journal.moved():
            return 0
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        before = set(self.catalog.pictures)
        fresh = JournalFile(self.journal.path)
        fresh.open()
        with open(fresh.fileno(), "ab", closefd=False) as target:
            self.journal.copy_to(target)
        with self.lock:
            self.journal.adopt(fresh)
            self.files = LocalFSStore(self.root)
            self._pictures.clear()
            self._uninspected.clear()
            on_change = self.projection.on_change
            self._begin()
            self.projection.on_change = on_change
            self._read_journal()
        return sum(not self.files.exists(path) for path in before)

    def sync(self) -> None:
        """Put the journal, and the pictures it speaks of, through a power cut.

        Raises:
            OSError: The disk refuses.
        """
        with self._syncing:  # another thread's sync may have begun with what this one is about
            pictures, self._unsynced = self._unsynced, False
            try:
                if pictures:
                    # One call for all: syncing each picture costs a round trip to the disk each.
                    self.files.sync_all()
                else:
                    self.journal.sync()
            except OSError:
                self._unsynced |= pictures
                raise

    def dispose(self, *, keep_journal: bool) -> None:
        """Close all files; without anything left to deliver, the journal goes too."""
        self.projection.spool.discard()
        if not keep_journal and self.journal.is_open:
            self.journal.path.unlink(missing_ok=True)
        self.journal.close()


def _foreign_picture(source: str) -> bytes:
    try:
        return Path(source).read_bytes()
    except OSError as error:
        # The other bundle's disk is not ours: waiting for it would hold up the run.
        raise OSError(errno.EINVAL, "the parent's picture cannot be read") from error
