"""What to do with an earlier run in the folder that a new session is about to write to."""

from __future__ import annotations

import logging
from pathlib import Path

import orjson

from augur_sdk.bundle import layout
from augur_sdk.bundle.journal import JournalFile, Scan
from augur_sdk.entry import Kind
from augur_sdk.storage.safe_open import read_inside

__all__ = ["make_room"]

logger: logging.Logger = logging.getLogger("augur_sdk")

_ENTRIES = frozenset(
    {layout.MANIFEST, layout.TRACE, *layout.CRASH_STATE}
    | {path.rstrip("/") for path in layout.PATHS.values()}
)


def make_room(root: Path, debug_session_id: str) -> None:
    """Move another run's bundle out of the folder; leave this session's own to be resumed.

    Nothing is deleted, and no file that is not a bundle's is touched: the earlier bundle, also
    an unfinished one, goes to a folder beside this one, named after its session.

    Raises:
        BundleInUseError: A live session writes there.
        OSError: The file system refuses.
    """
    if (root / layout.MANIFEST).exists():
        _set_aside(root, _session_of_manifest(root / layout.MANIFEST))
    elif (root / layout.JOURNAL).exists():
        earlier = _session_of_journal(root / layout.JOURNAL)
        if earlier != debug_session_id:
            _set_aside(root, earlier)


def _session_of_manifest(path: Path) -> str:
    try:
        return str(orjson.loads(read_inside(path.parent, path.name)).get("debug_session_id", ""))
    except (ValueError, AttributeError, OSError):
        return ""


def _session_of_journal(path: Path) -> str:
    journal = JournalFile(path)
    journal.open()
    try:
        for line in journal.scan(Scan()):
            if line.kind == Kind.OPEN:
                return str(orjson.loads(line.data).get("debug_session_id", ""))
        return ""
    finally:
        journal.close()


def _set_aside(root: Path, earlier: str) -> None:
    name = layout.portable_name(earlier or "earlier")
    try:
        target = _fresh_folder(root.with_name(f"{root.name}.{name}"))
    except OSError:
        # The folder above may not be ours to write to.
        target = _fresh_folder(root / f"earlier.{name}")
    for entry in list(root.iterdir()):
        if entry.name in _ENTRIES:
            entry.rename(target / entry.name)
    logger.warning(
        "%s held the bundle of another run (%s); it was moved to %s", root, earlier, target
    )


def _fresh_folder(path: Path) -> Path:
    number = 1
    while True:
        candidate = path if number == 1 else path.with_name(f"{path.name}-{number}")
        try:
            candidate.mkdir(mode=0o700)
        except FileExistsError:
            number += 1
        else:
            return candidate
