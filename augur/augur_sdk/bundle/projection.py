"""The projection of the journal onto the bundle's files, one target at a time."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import orjson

from augur_sdk.bundle import layout
from augur_sdk.bundle.canonical import pretty
from augur_sdk.bundle.catalog import Catalog, Target
from augur_sdk.bundle.columns import Column, texts
from augur_sdk.bundle.hash_ahead import MAX_PIXELS_AHEAD, HashAhead
from augur_sdk.bundle.journal import JournalFile, Ref
from augur_sdk.bundle.lines import REWRITE_LIMIT, LineFile
from augur_sdk.bundle.packed import Digests
from augur_sdk.bundle.trace import TraceSpool, step_block
from augur_sdk.entry import COLLECTIONS, LINES, Kind
from augur_sdk.fingerprint import step_token
from augur_sdk.images import hashing
from augur_sdk.images.probe import observation, probe
from augur_sdk.storage import LocalFSStore

__all__ = ["Projection"]

GROWTH: Final = 1.25
"""A long list is written again once it has grown by so much: the cost of a member stays flat."""

HEADER: Final = 16 * 1024
"""Bytes that name a picture's size; a JPEG with much about itself before it is read whole."""

HELD_FILES: Final = 64
"""Files of lines that are ready to grow: lines mostly come for the latest steps."""


class Projection:
    """Writes what the catalog calls dirty, and remembers what closing needs to know.

    Remembered are a digest a file, a fingerprint token a step, the failures and the pictures
    that steps refer to without there being one; never a record.
    """

    def __init__(
        self,
        root: Path,
        files: LocalFSStore,
        journal: JournalFile,
        catalog: Catalog,
        *,
        perceptual_hashes: bool = True,
    ) -> None:
        self._files = files
        self._journal = journal
        self._catalog = catalog
        self._perceptual_hashes = perceptual_hashes
        self._ahead = HashAhead()
        self._lines: dict[str, LineFile] = {}
        self._collected: dict[str, int] = {}
        self._stale: dict[str, str] = {}
        self.spool: TraceSpool = TraceSpool(root)
        self.digests: Digests = Digests()
        self.tokens: Column[str] = texts()
        self.failures: dict[int, str] = {}
        self.unresolved: set[str] = set()
        self.lost: set[str] = set()
        self.on_change: Callable[[str], None] | None = None
        self.inherited: int = 0
        """Bytes of the journal that stood there when it was opened."""

    def project(self, target: Target) -> None:
        """Write one target's file or files.

        Raises:
            OSError: The target stays to be written.
        """
        if target.kind is Kind.STEP:
            self._project_step(target.step_index or 0, target.path)
        elif target.kind in LINES:
            self._project_lines(target.path, Kind(target.kind))
        elif target.kind in COLLECTIONS:
            self._project_collection(target.path, COLLECTIONS[target.kind])
        elif target.kind is Kind.SCREENSHOT:
            self._project_picture(target.path)
        elif target.kind is Kind.WITHHELD:
            self._withdraw(target.path)
        elif (ref := self._catalog.documents.get(target.path)) is not None:
            self._write_json(target.path, self._read(ref))

    def expect_picture(self, path: str) -> None:
        """A picture is on disk and waits for its projection: `hash_ahead` may begin with it."""
        if self._perceptual_hashes:
            self._ahead.expect(path)

    def hash_ahead(self) -> bool:
        """Hash one picture before its turn comes, from any thread; False when none is left.

        Takes some milliseconds: what would take longer, as the first picture of a process with
        its imports does, is left to its turn, so that a worker stays free for the journal.
        """
        path = self._ahead.take() if hashing.is_ready() else None
        if path is None:
            return False
        # Whatever is wrong with the picture, projecting it meets the same and says so.
        with suppress(Exception):
            picture = self._files.read_bytes(path)
            size = probe(picture)
            if size.width * size.height <= MAX_PIXELS_AHEAD:
                hashing.hash_ahead(picture)
        return True

    def write(self, path: str, data: bytes) -> None:
        """Write and sign one file."""
        self._put(path, data)
        self.signed(path, hashlib.sha256(data).digest())

    def signed(self, path: str, digest: bytes) -> None:
        """Take note of a file's digest, and tell whoever copies the bundle elsewhere."""
        self.digests[path] = digest
        if self.on_change is not None:
            self.on_change(path)

    def remove(self, path: str) -> None:
        """Remove a file, signed or not."""
        self._files.remove(path)
        self.digests.discard(path)
        if self.on_change is not None:
            self.on_change(path)

    def settle(self) -> None:
        """Write whatever was put off until the end of the run."""
        for lines in self._lines.values():
            if not lines.settled:
                self._rewrite(lines)
        for path, name in list(self._stale.items()):
            self._write_collection(path, name)

    def step_blocks(self) -> Iterator[bytes]:
        """The canonical steps in order, as `trace.json` holds them."""
        if self.spool.usable:
            yield from self.spool.blocks()
            return
        for record in self.canonical_steps():
            yield step_block(pretty(record))

    def canonical_steps(self) -> Iterator[dict[str, Any]]:
        """The canonical steps in order, one at a time."""
        for ref in self._catalog.steps.values():
            yield self._read(ref)

    def read_session(self) -> dict[str, Any]:
        """The session record as it stands in the journal."""
        return self._read(self._catalog.session) if self._catalog.session else {}

    def read_opening(self) -> dict[str, Any]:
        """What the journal's first line says."""
        return self._read(self._catalog.opening) if self._catalog.opening else {}

    def _read(self, ref: Ref) -> dict[str, Any]:
        record: dict[str, Any] = orjson.loads(self._journal.read(ref))
        return record

    def _write_json(self, path: str, record: Any) -> bytes:
        data = pretty(record)
        self.write(path, data)
        return data

    def _project_step(self, index: int, step_id: str) -> None:
        steps = self._catalog.steps
        record = self._read(steps.find(index, step_id))
        path = layout.step_path(index)
        if steps.has_iterations(index):
            self._move_into_folder(index)
            path = layout.iteration_path(index, str(record.get("step_id", "")))
        data = self._write_json(path, record)
        if steps.is_canonical(index, step_id):
            self._remember_step(index, record, data)

    def _move_into_folder(self, index: int) -> None:
        """Give the canonical step a file among its iterations, once there are any."""
        single = layout.step_path(index)
        if single not in self.digests and index in self.tokens:
            return
        record = self._read(self._catalog.steps[index])
        self._write_json(layout.iteration_path(index, str(record.get("step_id", ""))), record)
        self.remove(single)

    def _remember_step(self, index: int, record: dict[str, Any], data: bytes) -> None:
        self.spool.add(index, data)
        self.tokens[index] = sys.intern(step_token(record))  # runs repeat themselves
        if failure := _failure(record):
            self.failures[index] = failure
        else:
            self.failures.pop(index, None)
        for name in ("observation_pre", "observation_post"):
            path = record.get(name)
            if isinstance(path, str) and path not in self._catalog.pictures:
                self.unresolved.add(path)

    def _project_lines(self, path: str, kind: Kind) -> None:
        if not self._catalog.lines.get(path):
            return
        lines = self._lines.get(path)
        if lines is None:
            render = _log_text if kind is Kind.LOG else _json_line
            lines = LineFile(path, render, ordered=kind is Kind.EVENT)
            self._rewrite(lines)
            self._hold(lines)
            return
        fresh = [self._journal.read(ref) for ref in self._catalog.lines[path].since(lines.written)]
        addition = lines.addition(fresh)
        if addition is None:
            self._rewrite(lines)
        elif fresh:
            self._files.append_bytes(path, addition)
            lines.appended(fresh, addition)
            self.signed(path, lines.digest)

    def _hold(self, lines: LineFile) -> None:
        """Remember a file that more lines may come for; an old, short one is rewritten then."""
        self._lines[lines.path] = lines
        if len(self._lines) > HELD_FILES:
            oldest = self._lines.pop(next(iter(self._lines)))
            if not oldest.settled or oldest.written > REWRITE_LIMIT:
                self._lines[oldest.path] = oldest

    def _rewrite(self, lines: LineFile) -> None:
        records = [self._journal.read(ref) for ref in self._catalog.lines[lines.path].since(0)]
        data = lines.whole(records)
        self._put(lines.path, data)
        lines.replaced(records, data)
        self.signed(lines.path, lines.digest)

    def _put(self, path: str, data: bytes) -> None:
        """Give a file these bytes: directly the first time, at half the cost of a rename.

        A kill may leave a part of a file then. The journal has what belongs there, and recovery
        writes it in one step, because something stands there.
        """
        if path not in self.digests:
            with suppress(FileExistsError):
                self._files.create_bytes(path, data)
                return
        self._files.write_bytes(path, data)

    def _project_collection(self, path: str, name: str) -> None:
        """Write a list's file, unless it is long and has hardly grown: the end writes it then."""
        size = len(self._catalog.collections[path])
        if REWRITE_LIMIT < size < self._collected.get(path, 0) * GROWTH:
            self._stale[path] = name
        else:
            self._write_collection(path, name)

    def _write_collection(self, path: str, name: str) -> None:
        members = list(self._catalog.collections[path].values())
        self._write_json(path, {name: [self._read(ref) for ref in members]})
        self._collected[path] = len(members)
        self._stale.pop(path, None)

    def _project_picture(self, path: str) -> None:
        self._ahead.arrived(path)
        ref = self._catalog.pictures.get(path)
        if ref is None:
            return
        try:
            facts = self._read(ref)
            if ref.offset < self.inherited:
                facts = self._as_found(path, facts)
            record = self._measured(path, facts)
        except FileNotFoundError:
            # Somebody deleted it: the bundle says so, and the run goes on.
            self.digests.discard(path)
            self.lost.add(path)
            return
        self.signed(path, bytes.fromhex(record["hashes"]["sha256"]))
        if "width" in record:
            self._write_json(path.removesuffix(".png") + ".json", record)

    def _as_found(self, path: str, facts: dict[str, Any]) -> dict[str, Any]:
        """What the journal says of a picture, as far as it is about the picture that is there.

        An earlier process may have ended between a picture and its line, and a power cut may have
        left the line without the picture.

        Raises:
            FileNotFoundError: There is none, or nothing that is a picture; that is removed.
        """
        picture = self._files.read_bytes(path)
        digest = hashlib.sha256(picture).hexdigest()
        if digest == facts["hashes"]["sha256"]:
            return facts
        if not probe(picture).ok:
            self.remove(path)
            raise FileNotFoundError(path)
        of_another = ("width", "height", "media_type", "hashes")
        kept = {name: value for name, value in facts.items() if name not in of_another}
        return {**kept, "hashes": {"sha256": digest}}

    def _measured(self, path: str, facts: dict[str, Any]) -> dict[str, Any]:
        if "phash_64" in facts["hashes"] and "width" in facts:
            return facts  # measured when another bundle was made of the very same bytes
        digest: str = facts["hashes"]["sha256"]
        if not self._perceptual_hashes:
            header = self._files.read_range(path, 0, HEADER)
            record = observation(header, facts, sha256=digest, perceptual=False)
            if "width" in record:
                return record
        picture = self._files.read_bytes(path)
        while hashing.is_being_hashed(digest) and self.hash_ahead():
            pass  # another thread is about to have the answer: better than to wait for it
        return observation(picture, facts, sha256=digest, perceptual=self._perceptual_hashes)

    def _withdraw(self, path: str) -> None:
        """Take back what was withheld after it had been written."""
        if path.startswith(layout.PATHS["screenshots"]):
            if path not in self._catalog.pictures:
                self.remove(path)
                self.remove(path.removesuffix(".png") + ".json")
        elif self._catalog.lines.get(path):
            self._lines.pop(path, None)
            self._project_lines(path, _kind_of_lines(path))
        elif path not in self._catalog.documents:
            self._lines.pop(path, None)
            self.remove(path)


def _kind_of_lines(path: str) -> Kind:
    if path == layout.REASONING:
        return Kind.REASONING
    return Kind.LOG if path.startswith(layout.PATHS["logs"]) else Kind.EVENT


def _failure(step: dict[str, Any]) -> str:
    """The class under which a failed step is counted; empty when it did not fail."""
    verdict = step.get("verdict")
    failed_verdict = isinstance(verdict, dict) and verdict.get("status") == "failed"
    if step.get("status") == "failed" or failed_verdict:
        return str(step.get("failure_class") or "unclassified")
    return ""


def _json_line(record: bytes) -> bytes:
    return record + b"\n"


def _log_text(record: bytes) -> bytes:
    return str(orjson.loads(record).get("text", "")).encode("utf-8", "backslashreplace")
