"""The manifest that `close` returns, also where the disk took none."""

from __future__ import annotations

from typing import Any

import orjson

from augur_sdk.bundle.archive import Archive, Door
from augur_sdk.bundle.finalize import preview_manifest
from augur_sdk.models import BundleManifest
from augur_sdk.recording.recorder import Recorder

__all__ = ["as_manifest", "unwritten_manifest"]


def as_manifest(manifest: dict[str, Any]) -> BundleManifest:
    """The same dict, under its type."""
    return manifest  # type: ignore[return-value]  # built field by field in finalize


def unwritten_manifest(archive: Archive, door: Door, recorder: Recorder) -> BundleManifest:
    """What the manifest would say, for a caller whose disk takes nothing."""
    session: dict[str, Any] = orjson.loads(
        door.record("session", orjson.dumps(recorder.session_record()))
    )
    return as_manifest(preview_manifest(archive.projection, session, archive.policy_id, ()))
