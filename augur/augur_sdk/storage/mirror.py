"""A bundle in a local folder, copied to a store behind the run.

Shutdown: `finish(timeout)` lets `run` upload what is left and ends it. After the timeout what is in
flight is broken off, and a note of what the store has stays beside the bundle. `push_bundle` reads
the note and finishes the upload, in this process or a later one. Nothing here raises into the
caller because a store is down.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread

from augur_sdk.bundle.layout import CRASH_STATE, MANIFEST
from augur_sdk.errors import BundleReadError
from augur_sdk.storage.asynchronous import as_async
from augur_sdk.storage.failures import StoreError, classify
from augur_sdk.storage.local import LocalFSStore
from augur_sdk.storage.paths import checked_relpath
from augur_sdk.storage.protocol import AsyncStore, Store
from augur_sdk.storage.upload_queue import Pace, UploadQueue, UploadState, next_streak
from augur_sdk.storage.upload_state import UPLOADS, load_state, save_state, stamp_of
from augur_sdk.storage.uris import store_from_uri

__all__ = ["Mirror", "Pace", "UploadState", "push_bundle"]

UPLOADS_AT_ONCE: Final = 8
"""Enough to hide a store's latency behind small files, few enough sockets to go unnoticed."""

UPLOAD_TIMEOUT: Final = 300.0
"""Seconds for one file; only a user's own store that hangs gets there, others have `Patience`."""

BREAK_OFF_GRACE: Final = 1.0
"""Seconds in which a cancelled upload has to let go; cancelling is immediate unless the loop is."""

PUSH_ATTEMPTS: Final = 5
"""Rounds in a row that may fail before a push says so instead of waiting on."""

_NOT_MIRRORED: Final = CRASH_STATE | {UPLOADS}


class Mirror:
    """Copies the files of one bundle to a store while they are being written.

    Guarantees: files go up in the order in which they were marked, at most eight at once; a file
    marked again is uploaded again, once for many marks; the manifest goes last, after everything
    else is there, and an older one is withdrawn before anything changes (where the store can
    remove). Failures are retried with backoff and jitter; while a store is down one file at a time
    is tried. Memory is bounded by the number of files.

    Args:
        local: the bundle.
        remote: the store; a synchronous one is called in worker threads.
        uploaded: what an earlier upload got there (`load_state`).
        pace: the waits between failures.
        give_up_after: end `run` after this many failed rounds in a row; None goes on.
        on_upload: called on the loop with each path that is in the store.
    """

    def __init__(
        self,
        local: LocalFSStore,
        remote: Store | AsyncStore,
        *,
        uploaded: UploadState | None = None,
        pace: Pace | None = None,
        give_up_after: int | None = None,
        on_upload: Callable[[str], object] | None = None,
    ) -> None:
        self._local, self._remote = local, as_async(remote)
        self._queue = UploadQueue(MANIFEST, uploaded.uploaded if uploaded else None)
        self._pace = pace or Pace()
        self._give_up_after = give_up_after
        self._on_upload = on_upload
        self._streak = 0
        self._withdrawn = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake, self._closing, self._ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._scope: anyio.CancelScope | None = None  # made inside the loop that runs it

    def __repr__(self) -> str:
        state = self.state
        return f"<Mirror {len(state.uploaded)} uploaded, {len(state.pending)} pending>"

    @property
    def state(self) -> UploadState:
        """Where the upload stands. From any thread."""
        return self._queue.state(self._remote.root_uri)

    def mark(self, relpath: str) -> None:
        """Have a file uploaded, now or again. From any thread; never waits.

        Raises:
            RecordError: an illegal path.
        """
        if relpath not in _NOT_MIRRORED and self._queue.mark(checked_relpath(relpath)):
            self._wake_up()

    async def run(self) -> None:
        """Upload what is marked until `finish`. A task of its own; raises only cancellation."""
        async with self._running():
            while not self._is_over():
                batch = self._queue.take(UPLOADS_AT_ONCE if self._streak == 0 else 1)
                if batch:
                    await self._round(batch)
                elif self._queue.take_overflow():
                    await self._look_again()
                elif self._closing.is_set():
                    return
                else:
                    await self._wake.wait()
                    self._wake.clear()

    def close(self) -> None:
        """Have `run` end once everything marked is uploaded. On its loop, or before it starts."""
        self._closing.set()
        self._wake.set()

    async def finish(self, timeout: float) -> UploadState:  # noqa: ASYNC109 - ends in a state, not an error
        """Upload what is left for at most `timeout` seconds, end `run`, note what is missing."""
        self.close()
        if self._scope is not None:
            await self._ended_within(timeout)
            self._scope.cancel()
            await self._ended_within(BREAK_OFF_GRACE)
        with suppress(OSError), anyio.CancelScope(shield=True):  # the note only spares work
            await anyio.to_thread.run_sync(save_state, self._local, self.state)
        return self.state

    def mark_changed(self) -> int:
        """Mark every file that is not in the store as it stands now; how many. Blocks."""
        changed = [path for path in self._local.list_files() if self._has_changed(path)]
        for relpath in sorted(changed, key=MANIFEST.__eq__):  # the manifest is marked last
            self.mark(relpath)
        return len(changed)

    # -- one round

    async def _round(self, batch: list[str]) -> None:
        outcomes: list[bool] = []
        try:
            if await self._withdraw_manifest():
                stamps = await anyio.to_thread.run_sync(self._stamps, batch)
                async with anyio.create_task_group() as group:
                    for relpath in batch:
                        group.start_soon(self._upload, relpath, stamps[relpath], outcomes)
            else:
                outcomes.append(False)
        finally:
            for relpath in batch:
                self._queue.released(relpath)
        self._streak = next_streak(self._streak, sum(outcomes), len(outcomes) - sum(outcomes))
        if self._streak and not self._is_over():
            await self._pause(self._pace.delay(self._streak, random.random()))  # noqa: S311 - jitter

    async def _look_again(self) -> None:
        try:
            await anyio.to_thread.run_sync(self.mark_changed)
        except OSError:  # a folder that cannot be read now may be readable later
            self._queue.note_overflow()
            self._streak += 1
            await self._pause(self._pace.delay(self._streak, random.random()))  # noqa: S311 - jitter

    async def _upload(self, relpath: str, stamp: str | None, outcomes: list[bool]) -> None:
        if stamp is None:
            self._queue.vanished(relpath)
            return
        try:
            with anyio.fail_after(UPLOAD_TIMEOUT):
                await self._remote.awrite_bytes(relpath, self._local.path(relpath))
        except Exception as error:  # noqa: BLE001 - a user's store may raise anything
            await self._failed(relpath, error, outcomes)
        else:
            self._queue.done(relpath, stamp)
            outcomes.append(True)
            if self._on_upload is not None:
                self._on_upload(relpath)

    async def _failed(self, relpath: str, error: Exception, outcomes: list[bool]) -> None:
        here = await anyio.to_thread.run_sync(stamp_of, self._local, relpath)
        if isinstance(error, FileNotFoundError) and here is None:
            self._queue.vanished(relpath)
            return
        reason = classify(error).reason
        self._queue.failed(relpath, reason)
        outcomes.append(reason == "refused")  # the store works; it is this file that it refuses

    async def _withdraw_manifest(self) -> bool:
        """Its presence means complete: an older one goes before its bundle changes."""
        if self._withdrawn:
            return True
        try:
            if await self._remote.aexists(MANIFEST):
                await self._remote.aremove(MANIFEST)
        except Exception as error:  # noqa: BLE001 - a user's store may raise anything
            if classify(error).reason != "refused":  # a store that cannot remove keeps the old one
                return False
        self._withdrawn = True
        return True

    def _has_changed(self, relpath: str) -> bool:
        stamp = stamp_of(self._local, relpath)
        known = relpath in _NOT_MIRRORED or stamp is None
        return not known and not self._queue.is_current(relpath, stamp or "")

    def _stamps(self, batch: list[str]) -> dict[str, str | None]:
        return {relpath: stamp_of(self._local, relpath) for relpath in batch}

    # -- waiting and ending

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        self._loop = asyncio.get_running_loop()
        try:
            with anyio.CancelScope() as self._scope:
                yield
        finally:
            self._ended.set()

    def _is_over(self) -> bool:
        return self._give_up_after is not None and self._streak >= self._give_up_after

    def _wake_up(self) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: a later push will find the file
                self._loop.call_soon_threadsafe(self._wake.set)

    async def _pause(self, seconds: float) -> None:
        if self._closing.is_set():
            await anyio.sleep(seconds)
        else:
            with anyio.move_on_after(seconds):
                await self._closing.wait()

    async def _ended_within(self, seconds: float) -> None:
        with anyio.move_on_after(seconds, shield=True):
            await self._ended.wait()


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
    remote = as_async(store_from_uri(store) if isinstance(store, str) else store)
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

    mirror = Mirror(
        local, remote, uploaded=earlier, pace=pace, give_up_after=attempts, on_upload=count
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


def _quietly(_: int, __: int) -> None: ...
