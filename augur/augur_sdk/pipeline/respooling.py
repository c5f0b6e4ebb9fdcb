"""Making a journal of a finished bundle, for sending a bundle that has none (any more).

What is sent, acknowledged and resumed is then the same as for a run that was interrupted. The
records are taken as they stand: a finished bundle is redacted, or says that it is not. Pictures,
the trace and the manifest are sent from their own files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import orjson

from augur_sdk.bundle import layout
from augur_sdk.bundle.journal import encode_line
from augur_sdk.bundle.trace_scan import TraceSyntaxError, trace_parts
from augur_sdk.entry import COLLECTIONS, Kind
from augur_sdk.errors import BundleReadError
from augur_sdk.storage.paths import is_legal
from augur_sdk.storage.safe_open import (
    is_regular,
    open_inside,
    open_regular,
    read_inside,
    regular_names,
)

__all__ = ["respool"]

_PICTURE = re.compile(r"(\d{4,})_([A-Za-z0-9]+)\.png")
_STEP_LOG = re.compile(r"step-(\d{4,})")
_LOG_CHUNK: Final = 128 * 1024
"""Characters of a log in one record; the server's limit is a megabyte a file."""


class _Record(NamedTuple):
    kind: Kind
    data: Any
    step_index: int | None = None
    path: str = ""
    item: str = ""


def respool(root: Path, destination: str) -> None:
    """Write a journal that holds what the files of a finished bundle say.

    Args:
        root: The bundle's folder.
        destination: Where it is to be sent.

    Raises:
        BundleReadError: The manifest or the trace cannot be read.
        OSError: The disk refuses.
    """
    manifest = _manifest(root)
    opening = {
        "format": 1,
        "run_id": manifest.get("run_id", ""),
        "debug_session_id": manifest.get("debug_session_id", ""),
        "destination": destination,
        # Not the run's own keys, whose numbers are those of its journal; but the same for each
        # push of this bundle, whose records come in the same order each time.
        "keys": f"push_{manifest.get('debug_session_id', '')}",
    }
    path = root / layout.JOURNAL
    unfinished = path.with_name(f"{path.name}.new")
    try:
        unfinished.unlink(missing_ok=True)
        fd = open_regular(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        with os.fdopen(fd, "wb") as journal:
            _write(journal, _Record(Kind.OPEN, opening), 1)
            for number, record in enumerate(_records(root, manifest), 2):
                _write(journal, record, number)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _write(journal: IO[bytes], record: _Record, seq: int) -> None:
    kind, data, step_index, path, item = record
    encoded = orjson.dumps(data)
    journal.write(encode_line(seq, kind.value, encoded, path=path, item=item, step=step_index)[0])


def _manifest(root: Path) -> dict[str, Any]:
    try:
        manifest = orjson.loads(read_inside(root, layout.MANIFEST))
    except (OSError, ValueError):
        manifest = None
    if not isinstance(manifest, dict):
        raise BundleReadError(
            f"{root} is not a finished bundle: its {layout.MANIFEST} cannot be read",
            fix="Finish a run that was killed with `augur recover DIR`.",
        )
    return manifest


def _records(root: Path, manifest: dict[str, Any]) -> Iterator[_Record]:
    yield from _trace(root)
    if isinstance(manifest.get("costs"), dict):
        yield _Record(Kind.COSTS, manifest["costs"])
    yield from _pictures(root)
    yield from _events(root)
    yield from _documents(root, Kind.MODELIO, "modelio")
    yield from _documents(root, Kind.SIDE_EFFECT, "side_effects")
    yield from _logs(root)
    for kind, path in (
        (Kind.OUTCOME, layout.OUTCOMES),
        (Kind.EVAL_CANDIDATE, layout.EVAL_CANDIDATES),
    ):
        yield from _collection(root, kind, path)


def _trace(root: Path) -> Iterator[_Record]:
    try:
        with open_inside(root, layout.TRACE) as trace:
            for part in trace_parts(trace):
                value = orjson.loads(part.raw)
                if part.key == "session":
                    yield _Record(Kind.SESSION, value)
                elif part.position is not None and isinstance(value, dict):
                    yield _step(value, part.position)
    except (OSError, TraceSyntaxError, orjson.JSONDecodeError):
        raise BundleReadError(f"the {layout.TRACE} in {root} is missing or damaged") from None


def _step(step: dict[str, Any], position: int) -> _Record:
    index = step.get("step_index")
    at = index if isinstance(index, int) and index >= 0 else position
    return _Record(Kind.STEP, step, at, item=str(step.get("step_id", "")))


def _names(root: Path, part: str, ending: str) -> list[str]:
    names = regular_names(root, layout.PATHS[part])
    return [name for name in names if name.endswith(ending) and is_legal(name)]


def _pictures(root: Path) -> Iterator[_Record]:
    for name in _names(root, "screenshots", ".png"):
        if found := _PICTURE.fullmatch(name):
            path = f"{layout.PATHS['screenshots']}{name}"
            yield _Record(Kind.SCREENSHOT, {}, int(found[1]), path, found[2])


def _events(root: Path) -> Iterator[_Record]:
    for name in _names(root, "events", ".jsonl"):
        path = f"{layout.PATHS['events']}{name}"
        kind = Kind.REASONING if path == layout.REASONING else Kind.EVENT
        with open_inside(root, path) as lines:
            for line in lines:
                if record := _object(line):
                    own = record.get("step_index")
                    yield _Record(
                        kind, record, own if _is_index(own) else layout.step_of(path), path
                    )


def _documents(root: Path, kind: Kind, part: str) -> Iterator[_Record]:
    for name in _names(root, part, ".json"):
        path = f"{layout.PATHS[part]}{name}"
        if record := _object(read_inside(root, path)):
            item = str(record.get("side_effect_id", ""))
            yield _Record(kind, record, layout.step_of(path), path, item)


def _logs(root: Path) -> Iterator[_Record]:
    for name in _names(root, "logs", ".log"):
        stem = name.removesuffix(".log")
        found = _STEP_LOG.fullmatch(stem)
        step_index = int(found[1]) if found else None
        path = f"{layout.PATHS['logs']}{name}"
        with TextIOWrapper(
            open_inside(root, path), encoding="utf-8", errors="replace", newline=""
        ) as log:
            while chunk := log.read(_LOG_CHUNK):
                yield _Record(Kind.LOG, {"text": chunk, "name": stem}, step_index, path)


def _collection(root: Path, kind: Kind, path: str) -> Iterator[_Record]:
    if not is_regular(root, path):
        return
    members = (_object(read_inside(root, path)) or {}).get(COLLECTIONS[kind])
    for member in members if isinstance(members, list) else ():
        if isinstance(member, dict):
            own = member.get("step_index")
            yield _Record(kind, member, own if _is_index(own) else None, path)


def _object(raw: bytes) -> dict[str, Any] | None:
    """A JSON object; a file that is damaged costs itself, not the rest."""
    try:
        found = orjson.loads(raw)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _is_index(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
