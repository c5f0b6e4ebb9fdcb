"""The note beside an unfinished upload, so that a later process can finish it."""

from __future__ import annotations

import os
from typing import Any, Final

import orjson

from augur_sdk.bundle.layout import UPLOADS
from augur_sdk.storage.local import LocalFSStore
from augur_sdk.storage.upload_queue import UploadState

__all__ = ["UPLOADS", "load_state", "save_state", "signed_files", "stamp_of"]

_OPTIONS: Final = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


def stamp_of(local: LocalFSStore, relpath: str) -> str | None:
    """What changes whenever a file's bytes do; None when it is not there."""
    try:
        found = os.stat(local.path(relpath), follow_symlinks=False)  # noqa: PTH116 - for every file
    except OSError:
        return None
    return f"{found.st_size}-{found.st_mtime_ns}-{found.st_ino}"


def signed_files(manifest: bytes) -> list[str]:
    """The files that a manifest signs; none where it cannot be understood."""
    try:
        return [str(relpath) for relpath in orjson.loads(manifest)["signatures"]]
    except (ValueError, KeyError, TypeError):
        return []


def save_state(local: LocalFSStore, state: UploadState) -> None:
    """Leave the note, or take it away once everything is there. Raises OSError."""
    if state.complete:
        local.remove(UPLOADS)
        return
    note = {"store": state.store, "uploaded": state.uploaded, "failed": state.failed}
    local.write_bytes(UPLOADS, orjson.dumps(note, option=_OPTIONS))


def load_state(local: LocalFSStore, store: str) -> UploadState:
    """The note about this store; empty when there is none, or none that can be understood."""
    try:
        note = orjson.loads(local.read_bytes(UPLOADS))
    except (OSError, ValueError):
        return UploadState(store)
    if not isinstance(note, dict) or note.get("store") != store:
        return UploadState(store)
    return UploadState(store, uploaded=_strings(note.get("uploaded")))


def _strings(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {key: text for key, text in value.items() if isinstance(text, str)}
