"""Finishing the upload of a bundle whose session has ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread

from augur_sdk.bundle.layout import MANIFEST, UPLOADS
from augur_sdk.errors import BundleReadError
from augur_sdk.storage.asynchronous import as_async
from augur_sdk.storage.failures import StoreError
from augur_sdk.storage.local import LocalFSStore
from augur_sdk.storage.mirror import Mirror
from augur_sdk.storage.protocol import AsyncStore, Store
from augur_sdk.storage.upload_queue import Pace, UploadState
from augur_sdk.storage.upload_state import load_state
from augur_sdk.storage.uris import store_from_uri

__all__ = ["push_bundle"]

PUSH_ATTEMPTS: Final = 5
"""Rounds in a row that may fail before a push says so instead of waiting on."""


async def push_bundle(
    bundle: str | Path | LocalFSStore,
    store: str | Store | AsyncStore,
    *,
    progress: Callable[[int, int], object] | None = None,
    pace: Pace | None = None,
    attempts: int = PUSH_ATTEMPTS,
) -> UploadState:
    """Upload what a store does not have of a finished bundle, the manifest last.

    Can be repeated: it goes on where an earlier upload to the same store stopped, and does nothing
    when the store already has this manifest. A store that is down is waited for through
    `attempts` failed rounds; what is missing then is in the state that it returns, and in a note
    beside the bundle.

    Args:
        bundle: the folder.
        store: where to, as a URI or a store.
        progress: called with (files done, files in all).
        pace: the waits between failures.
        attempts: failed rounds in a row before it stops.

    Raises:
        BundleReadError: the folder has no manifest.
    """
    local = bundle if isinstance(bundle, LocalFSStore) else LocalFSStore(bundle)
    if isinstance(store, str):
        store = await anyio.to_thread.run_sync(store_from_uri, store)
    remote = as_async(store)
    earlier, manifest = await anyio.to_thread.run_sync(_read_local, local, remote.root_uri)
    if await _has(remote, manifest):
        await anyio.to_thread.run_sync(local.remove, UPLOADS)
        return replace(earlier, complete=True)
    return await _push(local, remote, earlier, progress or _quietly, pace, attempts)


async def _push(
    local: LocalFSStore,
    remote: AsyncStore,
    earlier: UploadState,
    progress: Callable[[int, int], object],
    pace: Pace | None,
    attempts: int,
) -> UploadState:
    done: list[str] = []
    total = 0

    def count(relpath: str) -> None:
        done.append(relpath)
        progress(len(done), total)

    there = await _still_there(remote, earlier)
    mirror = Mirror(
        local, remote, uploaded=there, pace=pace, give_up_after=attempts, on_upload=count
    )
    total = await anyio.to_thread.run_sync(mirror.mark_changed)
    mirror.mark(MANIFEST)  # also when the note says that it is there: the store has just denied it
    progress(0, total)
    mirror.close()
    await mirror.run()
    return await mirror.finish(0)


def _read_local(local: LocalFSStore, store: str) -> tuple[UploadState, bytes]:
    if not local.exists(MANIFEST):
        raise BundleReadError(
            "the folder has no manifest.json", fix="Finish the bundle first: augur recover DIR."
        )
    return load_state(local, store), local.read_bytes(MANIFEST)


async def _has(remote: AsyncStore, manifest: bytes) -> bool:
    try:
        return await remote.aread_bytes(MANIFEST) == manifest
    except (StoreError, OSError):
        return False


async def _still_there(remote: AsyncStore, earlier: UploadState) -> UploadState:
    """Of what the note says is there, what the store lists.

    The same URI can be another server's, and buckets are tidied up: a manifest must not be put
    beside files that a note alone speaks of.
    """
    try:
        listed = {path async for path in remote.alist()} if earlier.uploaded else set[str]()
    except Exception:  # noqa: BLE001 - a store that cannot list: sending again is always right
        return UploadState(earlier.store)
    here = {path: stamp for path, stamp in earlier.uploaded.items() if path in listed}
    return replace(earlier, uploaded=here)


def _quietly(_: int, __: int) -> None: ...
