"""Finishing a bundle: the one function that close, recovery and interpreter exit all use."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator
from typing import Any, Final

from augur_sdk.bundle import layout
from augur_sdk.bundle.agent_page import agent_page
from augur_sdk.bundle.canonical import pretty
from augur_sdk.bundle.projection import Projection
from augur_sdk.bundle.trace import digest_and_pass, trace_chunks
from augur_sdk.fingerprint import DEFAULT_ALGORITHM, compute, cua_v1_of_tokens
from augur_sdk.models import SCHEMA_VERSION
from augur_sdk.models.schemas import schema_files
from augur_sdk.storage import LocalFSStore

__all__ = ["finalize", "preview_manifest", "write_schemas"]

logger: logging.Logger = logging.getLogger("augur_sdk")

_FOREIGN_FOLDERS: Final = ("logs/", "crops/", "diffs/", "replay/", "preferences/", "diagnostics/")
"""Folders into which a host may write directly through the session's store."""


def write_schemas(projection: Projection) -> None:
    """Copy the schemas into the bundle, so that an offline reader can validate it."""
    for name, data in schema_files().items():
        projection.write(layout.schema_path(name), data)


def finalize(
    files: LocalFSStore,
    projection: Projection,
    session: dict[str, Any],
    *,
    policy_id: str,
    missing: Iterable[str],
    adopt_pictures: bool = False,
    fingerprint: str = DEFAULT_ALGORITHM,
) -> dict[str, Any]:
    """Write what only the end of a run can: trace, AGENT.md and, last, the manifest.

    When it returns, the whole bundle is on disk, also through a power cut. Everything the
    catalog holds has to be projected before.

    Raises:
        OSError: The disk refuses; the call can be repeated.
    """
    projection.settle()
    if layout.schema_path("manifest") not in projection.digests:
        write_schemas(projection)
    chunks = trace_chunks(pretty(session), projection.step_blocks())
    with files.open_write_binary(layout.TRACE) as file:
        digest = digest_and_pass(chunks, file.write)
    projection.signed(layout.TRACE, bytes.fromhex(digest))
    projection.write(layout.AGENT, agent_page(session, len(projection.tokens), projection.failures))
    _sign_foreign(files, projection, adopt_pictures)
    files.sync_all()
    manifest = preview_manifest(projection, session, policy_id, missing)
    if fingerprint != DEFAULT_ALGORITHM and projection.tokens:
        manifest["trajectory_fingerprint"] = _chosen_fingerprint(projection, fingerprint)
    files.write_bytes(layout.MANIFEST, pretty(manifest))
    if projection.on_change is not None:
        projection.on_change(layout.MANIFEST)
    files.sync_all()
    return manifest


def _chosen_fingerprint(projection: Projection, name: str) -> str:
    found = compute(projection.canonical_steps(), name)
    if found.problem:
        logger.warning("%s", found.problem)
    return found.value


def _sign_foreign(files: LocalFSStore, projection: Projection, adopt_pictures: bool) -> None:
    folders = (*_FOREIGN_FOLDERS, "screenshots/") if adopt_pictures else _FOREIGN_FOLDERS
    for path in _files_in(files, folders):
        if path not in projection.digests:
            projection.signed(path, hashlib.sha256(files.read_bytes(path)).digest())


def _files_in(files: LocalFSStore, folders: Iterable[str]) -> Iterator[str]:
    for folder in folders:
        yield from files.list_files(folder)


def preview_manifest(
    projection: Projection, session: dict[str, Any], policy_id: str, missing: Iterable[str]
) -> dict[str, Any]:
    """The manifest as it would be written now (contract/records.md, manifest)."""
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "bundle_format": "augur-bundle",
        "run_id": session.get("run_id", ""),
        "debug_session_id": session.get("debug_session_id", ""),
        "client": session.get("client", {}),
        "capture_mode": session.get("capture_mode", ""),
        "created_at": session.get("started_at", ""),
        "redaction": {"policy_id": policy_id, "applied": True},
        "trace": layout.TRACE,
        "step_count": len(projection.tokens),
        "paths": dict(layout.PATHS),
        "signatures": projection.digests.in_hex(),
        "missing": sorted(missing),
    }
    if session.get("costs"):
        manifest["costs"] = session["costs"]
    if projection.tokens:
        manifest["trajectory_fingerprint"] = cua_v1_of_tokens(projection.tokens.values())
    return manifest
