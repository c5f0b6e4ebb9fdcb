"""Recovering a bundle whose process died: project what the journal holds, and finish it."""

from __future__ import annotations

import datetime
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from augur_sdk.bundle import layout
from augur_sdk.bundle.archive import Archive
from augur_sdk.bundle.canonical import compact
from augur_sdk.bundle.delivery_log import DeliveryLog
from augur_sdk.bundle.delivery_note import read_note, write_note
from augur_sdk.entry import Entry, Kind
from augur_sdk.errors import BundleReadError
from augur_sdk.storage.safe_open import read_inside
from augur_sdk.times import utc_text

__all__ = ["RecoveryReport", "recover_bundle"]


@dataclass(frozen=True)
class RecoveryReport:
    """What a recovery found and made."""

    bundle_dir: Path
    records: int
    """Intact records in the journal."""
    damaged: int
    """Lines that were torn or corrupted, and records that are missing between others."""
    steps: int
    status: str
    """The run's status; `halted` when the process died in mid-run."""
    manifest: dict[str, Any] = field(repr=False)
    recovered: bool = True
    """False when the bundle was complete already."""
    unknown: int = 0
    """Intact records of a kind that this version does not know; they are not in the bundle."""


class _RedactedAlready:
    """The journal holds redacted records only; what recovery adds holds nothing to redact."""

    def record(self, kind: str, raw: bytes, *, place: str | None = None) -> bytes:  # noqa: ARG002 - the protocol's
        return raw

    def text(self, text: str) -> str:
        return text


def recover_bundle(bundle_dir: str | Path) -> RecoveryReport:
    """Finish the bundle of a run that was killed, from its journal (promises: kill -9).

    Every intact record of the journal ends up in the bundle; damaged lines are counted and
    skipped. A run that was still going gets the status `halted`. Safe to repeat: a complete
    bundle is left as it is. What a server does not have yet stays in the journal, for `augur push`.

    Args:
        bundle_dir: The folder that the session wrote to (`out_dir`).

    Raises:
        BundleReadError: There is neither a journal nor a manifest.
        BundleInUseError: The session is still alive.
        OSError: The disk refuses; the call can be repeated.
    """
    root = Path(bundle_dir)
    if not (root / layout.JOURNAL).exists():
        return _complete_already(root)
    archive = Archive(root, _RedactedAlready(), policy_id="")
    archive.open()
    try:
        if (root / layout.MANIFEST).exists():
            # The manifest comes last: what is left to be done is to deliver, or to clean up.
            with suppress(BundleReadError):
                return _complete_already(root)
        return _recover(root, archive)
    finally:
        finished = (root / layout.MANIFEST).exists()
        archive.dispose(keep_journal=not finished or _is_undelivered(archive))


def _is_undelivered(archive: Archive) -> bool:
    """Whether the journal holds what a server was to have and has not; says so in a note."""
    destination = str(archive.projection.read_opening().get("destination", ""))
    if not destination:
        return False
    acks = [line.data for line in archive.lines() if line.kind == Kind.ACK]
    log = DeliveryLog(destination, acks)
    for line in archive.lines():
        log.add(line)
    log.end(bundle=True)
    if log.pending and not read_note(archive.root):
        write_note(archive.root, log, "")
    return log.pending > 0


def _complete_already(root: Path) -> RecoveryReport:
    try:
        manifest = orjson.loads(read_inside(root, layout.MANIFEST))
        session = orjson.loads(read_inside(root, layout.TRACE))["session"]
    except (OSError, ValueError, KeyError, TypeError):
        raise BundleReadError(
            f"{root} is not a bundle: it holds neither a journal nor a manifest",
            fix="Pass the folder that the session was given as out_dir.",
        ) from None
    return RecoveryReport(
        root, 0, 0, manifest.get("step_count", 0), session.get("status", ""), manifest, False
    )


def _recover(root: Path, archive: Archive) -> RecoveryReport:
    found = archive.scanned
    session = _ended(archive, archive.journal.path)
    _append(archive, Kind.SESSION, session)
    manifest = archive.finish(recovering=True)
    return RecoveryReport(
        bundle_dir=root,
        records=found.intact,
        damaged=found.damaged + found.missing,
        steps=len(archive.catalog.steps),
        status=session["status"],
        manifest=manifest,
        unknown=found.unknown,
    )


def _ended(archive: Archive, journal: Path) -> dict[str, Any]:
    """The session record, with an end: the journal's last write is when the run was last alive."""
    session = archive.projection.read_session()
    opening = archive.projection.read_opening()
    archive.policy_id = opening.get("policy_id", "unknown")
    last = datetime.datetime.fromtimestamp(journal.stat().st_mtime, datetime.UTC)
    alive = utc_text(last)
    defaults = {
        "schema_version": "0.1",
        "debug_session_id": opening.get("debug_session_id", "dbg_unknown"),
        "run_id": opening.get("run_id", "unknown"),
        "client": {"name": "unknown"},
        "capture_mode": "metadata",
        "started_at": alive,
        "status": "running",
    }
    session = {**defaults, **session}
    if session["status"] == "running":
        session["status"] = "halted"
    session["ended_at"] = session.get("ended_at") or alive
    return session


def _append(archive: Archive, kind: Kind, record: dict[str, Any]) -> None:
    prepared = archive.prepare([Entry(kind, compact(record), seq=1)])
    archive.commit(prepared, archive.journal.append(bytes(prepared.data)))
