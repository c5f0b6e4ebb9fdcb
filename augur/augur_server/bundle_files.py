"""A bundle's files from a run's records: the same bytes as on the agent's machine.

The functions are the SDK's own, so that the two projections of a run cannot drift apart.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import orjson

from augur_sdk.bundle import layout
from augur_sdk.bundle.agent_page import agent_page
from augur_sdk.bundle.canonical import pretty
from augur_sdk.bundle.trace import step_block, trace_chunks
from augur_sdk.models import SCHEMA_VERSION
from augur_sdk.models.schemas import schema_files
from augur_sdk.redaction import DEFAULT_POLICY_ID
from augur_server.blobs import Blobs

__all__ = ["Stored", "bundle_paths", "render", "whole_bundle"]


class Stored(NamedTuple):
    """A row of the table of records."""

    kind: str
    item: str
    seq: int
    path: str
    step_index: int | None
    body: bytes
    sha256: str
    canonical: bool


_LISTS: Final = {"eval_candidate": "candidates", "outcome": "outcomes"}


def bundle_paths(rows: Iterable[Stored]) -> list[str]:
    """Every file that the records make, sorted."""
    paths: set[str] = {layout.schema_path(name) for name in schema_files()}
    steps: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        if row.kind == "step":
            steps[row.step_index or 0].append(row.item.partition("/")[2])
        elif row.path:
            paths.add(row.path)
    for index, ids in steps.items():
        if len(ids) == 1:
            paths.add(layout.step_path(index))
        else:
            paths |= {layout.iteration_path(index, step_id) for step_id in ids}
    if layout.TRACE in paths:
        paths |= {layout.AGENT, layout.MANIFEST}
    return sorted(paths)


def render(path: str, rows: list[Stored], blobs: Blobs) -> bytes:
    """The bytes of one file.

    Args:
        path: Where it is in the bundle.
        rows: The records of that path, those that are canonical last; all of the run's for the
            manifest, the session and all steps for the trace.
        blobs: Where pictures are.

    Raises:
        FileNotFoundError: The records make no such file.
    """
    if path.startswith(layout.PATHS["schema"]):
        return _schema(path)
    rows = sorted(rows, key=lambda row: row.kind == "file")  # what was sent as a file counts
    if path == layout.MANIFEST:
        return _manifest(rows, blobs)
    if path == layout.TRACE:
        return b"".join(_trace(rows))
    if path == layout.AGENT:
        sent = [row.body for row in rows if row.kind == "file" and row.path == path]
        return sent[-1] if sent else _agent_page(rows)
    if not rows:
        raise FileNotFoundError(path)
    match rows[-1].kind:
        case "file":
            return rows[-1].body
        case "screenshot":
            return blobs.read(rows[-1].sha256)
        case "step":
            return _step(path, rows)
        case "event":
            return _lines(sorted(rows, key=_event_order))
        case "reasoning":
            return _lines(sorted(rows, key=_arrival))
        case "log":
            texts = [orjson.loads(row.body)["text"] for row in sorted(rows, key=_arrival)]
            return "".join(texts).encode("utf-8", "backslashreplace")
        case "outcome" | "eval_candidate" as kind:
            members = [orjson.loads(row.body) for row in sorted(rows, key=_arrival)]
            return pretty({_LISTS[kind]: members})
    return pretty(orjson.loads(rows[-1].body))


def _schema(path: str) -> bytes:
    for name, data in schema_files().items():
        if layout.schema_path(name) == path:
            return data
    raise FileNotFoundError(path)


def _arrival(row: Stored) -> tuple[int, int]:
    return row.seq, 0


def _event_order(row: Stored) -> tuple[str, ...]:
    event: dict[str, Any] = orjson.loads(row.body)
    return tuple(str(event.get(name, "")) for name in ("ts", "layer", "kind", "summary"))


def _lines(rows: list[Stored]) -> bytes:
    return b"".join(row.body + b"\n" for row in rows)


def _step(path: str, rows: list[Stored]) -> bytes:
    if path.count("/") == 2:
        for row in rows:
            if layout.iteration_path(row.step_index or 0, row.item.partition("/")[2]) == path:
                return pretty(orjson.loads(row.body))
        raise FileNotFoundError(path)
    return pretty(orjson.loads(rows[-1].body))


def _canonical(rows: list[Stored]) -> Iterator[dict[str, Any]]:
    last = {row.step_index or 0: row for row in rows if row.kind == "step"}
    for index in sorted(last):
        yield orjson.loads(last[index].body)


def _session(rows: list[Stored]) -> dict[str, Any]:
    for row in rows:
        if row.kind == "session":
            session: dict[str, Any] = orjson.loads(row.body)
            return session
    raise FileNotFoundError(layout.TRACE)


def _trace(rows: list[Stored]) -> Iterator[bytes]:
    blocks = (step_block(pretty(step)) for step in _canonical(rows))
    return trace_chunks(pretty(_session(rows)), blocks)


def _agent_page(rows: list[Stored]) -> bytes:
    failures = {}
    count = 0
    for step in _canonical(rows):
        count += 1
        if step["status"] == "failed" or (step.get("verdict") or {}).get("status") == "failed":
            failures[step["step_index"]] = str(step.get("failure_class") or "unclassified")
    return agent_page(_session(rows), count, failures)


def whole_bundle(rows: list[Stored], blobs: Blobs) -> Iterator[tuple[str, bytes]]:
    """Every file of the bundle, the manifest last."""
    here = _by_path(rows)
    for path in bundle_paths(rows):
        if path != layout.MANIFEST:
            yield path, _file(path, rows, here, blobs)
    if any(row.kind == "session" for row in rows):
        yield layout.MANIFEST, _manifest(rows, blobs)


def _by_path(rows: list[Stored]) -> dict[str, list[Stored]]:
    here: dict[str, list[Stored]] = defaultdict(list)
    for row in rows:
        here[row.path].append(row)
    return here


def _file(path: str, rows: list[Stored], here: dict[str, list[Stored]], blobs: Blobs) -> bytes:
    if path in {layout.TRACE, layout.AGENT}:
        return render(path, rows, blobs)
    own = here.get(path) or here.get(f"{path.rpartition('/')[0]}.json") or []
    return render(path, own, blobs)


def _manifest(rows: list[Stored], blobs: Blobs) -> bytes:
    """The manifest as the client sent it, or one of what arrived; its signatures are true."""
    here = _by_path(rows)
    digests = {}
    for path in bundle_paths(rows):
        own = here.get(path)
        if own and own[-1].sha256:
            digests[path] = own[-1].sha256
        elif path != layout.MANIFEST:
            digests[path] = hashlib.sha256(_file(path, rows, here, blobs)).hexdigest()
    sent = [row for row in rows if row.kind == "manifest"]
    manifest = orjson.loads(sent[-1].body) if sent else _unfinished(rows)
    return pretty({**manifest, "signatures": digests})


def _unfinished(rows: list[Stored]) -> dict[str, Any]:
    session = _session(rows)
    steps = list(_canonical(rows))
    pictures = {row.path for row in rows if row.kind == "screenshot"}
    named = {step.get(f"observation_{kind}") for step in steps for kind in ("pre", "post")}
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "bundle_format": "augur-bundle",
        **{name: session[name] for name in ("run_id", "debug_session_id", "client")},
        "capture_mode": session["capture_mode"],
        "created_at": session["started_at"],
        "redaction": {"policy_id": DEFAULT_POLICY_ID, "applied": True},
        "trace": layout.TRACE,
        "step_count": len(steps),
        "paths": dict(layout.PATHS),
        "missing": sorted(path for path in named if path and path not in pictures),
    }
    return manifest | ({"costs": session["costs"]} if session.get("costs") else {})
