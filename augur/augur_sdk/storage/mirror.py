"""A bundle in a local folder, copied to a store behind the run.

Shutdown: `finish(timeout)` lets `run` upload what is left and ends it. After the timeout what is in
flight is broken off, and a note of what the store has stays beside the bundle. `push_bundle`
(`storage.pushing`) reads the note and finishes the upload, in this process or a later one. Nothing
here raises into the caller because a store is down.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import anyio
import anyio.to_thread

from augur_sdk.agent_loop import call_on
from augur_sdk.bundle.layout import MANIFEST, belongs
from augur_sdk.storage.asynchronous import as_async
from augur_sdk.storage.failures import Reason, classify
from augur_sdk.storage.local import LocalFSStore
from augur_sdk.storage.paths import checked_relpath, is_legal
from augur_sdk.storage.protocol import AsyncStore, Store
from augur_sdk.storage.twins import Twins, one_each
from augur_sdk.storage.upload_queue import Pace, UploadQueue, UploadState, next_streak
from augur_sdk.storage.upload_state import save_state, signed_files, stamp_of

__all__ = ["Mirror", "Pace", "UploadState"]

Copy = Callable[[str, str], Awaitable[None]]

COPIED_FROM: Final = 256
"""Uploads remembered: the picture after a step comes again as the next one's picture before."""

UPLOADS_AT_ONCE: Final = 8
"""Enough to hide a store's latency behind small files, few enough sockets to go unnoticed."""

UPLOAD_TIMEOUT: Final = 300.0
"""Seconds for one file; only a user's own store that hangs gets there, others have `Patience`."""

_NEEDS_SOMEBODY: Final = frozenset({"denied", "missing"})
"""Failures that waiting does not heal."""

BREAK_OFF_GRACE: Final = 0.3
"""Seconds in which a cancelled upload has to let go; cancelling is immediate unless the loop is."""


class Mirror:
    """Copies the files of one bundle to a store while they are being written.

    Guarantees: files go up in the order in which they were marked, at most eight at once; a file
    marked again is uploaded again, once for many marks; one that is gone is removed (where the
    store can); the manifest goes last, after everything else is there. An older bundle there is
    replaced: its manifest is withdrawn before anything changes, and what only it had goes. Only
    what belongs to a bundle is copied. A file that is linked here goes up once, and is copied by a
    store that has an `acopy`. Failures are retried with backoff and jitter; while a store is down
    one file at a time is tried. Memory is bounded by the number of files.

    Args:
        local: the bundle.
        remote: the store; a synchronous one is called in threads of its own.
        uploaded: what an earlier upload got there (`load_state`).
        pace: the waits between failures.
        give_up_after: end `run` after this many failed rounds in a row, or after one that only
            somebody's help can heal; None goes on.
        on_upload: called on the loop with each path that is in the store.
        on_turn: called on the loop with a reason when the store begins to fail, and with None when
            it works again.
        in_thread: awaits a plain call of some milliseconds, for what is asked of the local folder.
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
        on_turn: Callable[[Reason | None], object] | None = None,
        in_thread: Callable[..., Awaitable[Any]] = anyio.to_thread.run_sync,
    ) -> None:
        self._local, self._remote = local, as_async(remote)
        self._twins: Twins[str] = Twins(COPIED_FROM)
        self._copy: Copy | None = getattr(self._remote, "acopy", None)
        self._in_thread = in_thread
        self._on_turn = on_turn
        self._queue = UploadQueue(MANIFEST, uploaded.uploaded if uploaded else None)
        self._pace = pace or Pace()
        self._give_up_after = give_up_after
        self._on_upload = on_upload
        self._streak = 0
        self._reason: Reason = "unavailable"
        self._withdrawn = False
        self._broken_off = False
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
        if belongs(relpath) and self._queue.mark(checked_relpath(relpath)):
            self._call_soon(self._wake.set)

    async def run(self) -> None:
        """Upload what is marked until `finish`. A task of its own; raises only cancellation."""
        async with self._running():
            while not self._broken_off and not self._is_over():
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
        self._streak = min(self._streak, 1)  # not to spend the time that is left on a long wait
        self._closing.set()
        self._wake.set()

    async def finish(self, timeout: float) -> UploadState:  # noqa: ASYNC109 - ends in a state, not an error
        """Upload what is left for at most `timeout` seconds, end `run`, note what is missing."""
        self.close()
        if self._scope is not None:
            await self._ended_within(timeout)
            self._scope.cancel()
            await self._ended_within(BREAK_OFF_GRACE)
        with suppress(RuntimeError), anyio.CancelScope(shield=True):  # no threads any more
            await self._in_thread(self.leave_note)
        return self.state

    def break_off(self) -> None:
        """End `run` in the middle of what it does, or before it begins. From any thread."""
        self._broken_off = True
        if self._scope is not None:
            self._call_soon(self._scope.cancel)

    def leave_note(self) -> None:
        """Note beside the bundle what the store has, or take the note away when it has all.

        Blocks. The note only spares work later, so a disk that refuses it does no harm.
        """
        with suppress(OSError):
            save_state(self._local, self.state)

    def mark_changed(self) -> int:
        """Mark every file that is not in the store as it stands now; how many. Blocks."""
        here = {path: stamp_of(self._local, path) for path in self._local.list_files()}
        changed = [path for path, stamp in here.items() if self._has_changed(path, stamp)]
        gone = self._without_signed(self._queue.uploaded_besides(here))
        for relpath in sorted([*gone, *changed], key=MANIFEST.__eq__):  # the manifest comes last
            self.mark(relpath)
        return len(changed)

    # -- one round

    async def _round(self, batch: list[str]) -> None:
        outcomes: list[bool] = []
        try:
            if await self._withdraw_manifest():
                stamps = await self._in_thread(self._stamps, batch)
                first = one_each(stamps)
                again = [relpath for relpath in batch if relpath not in first]
                for part in filter(None, (first, again)):
                    async with anyio.create_task_group() as group:
                        for relpath in part:
                            group.start_soon(self._upload, relpath, stamps[relpath], outcomes)
            else:
                outcomes.append(False)
                for relpath in reversed(batch):
                    self._queue.failed(relpath, self._reason)
        finally:
            for relpath in batch:
                self._queue.released(relpath)
        before = self._streak
        self._streak = next_streak(before, sum(outcomes), len(outcomes) - sum(outcomes))
        if self._on_turn is not None and bool(before) != bool(self._streak):
            self._on_turn(self._reason if self._streak else None)
        if self._streak and not self._is_over():
            await self._pause(self._pace.delay(self._streak, random.random()))  # noqa: S311 - jitter

    async def _look_again(self) -> None:
        try:
            await self._in_thread(self.mark_changed)
        except OSError:  # a folder that cannot be read now may be readable later
            self._queue.note_overflow()
            self._streak += 1
            await self._pause(self._pace.delay(self._streak, random.random()))  # noqa: S311 - jitter

    async def _upload(self, relpath: str, stamp: str | None, outcomes: list[bool]) -> None:
        self._twins.forget(relpath)
        if stamp is None:
            await self._remove(relpath, outcomes)
            return
        try:
            with anyio.fail_after(UPLOAD_TIMEOUT):
                if not await self._copied(relpath, stamp):
                    await self._remote.awrite_bytes(relpath, self._local.path(relpath))
        except Exception as error:  # noqa: BLE001 - a user's store may raise anything
            await self._failed(relpath, error, outcomes)
        else:
            self._queue.done(relpath, stamp)
            self._twins.remember(relpath, stamp)
            outcomes.append(True)
            if self._on_upload is not None:
                self._on_upload(relpath)

    async def _copied(self, relpath: str, stamp: str) -> bool:
        """Have the store copy the same bytes from where it has them, if it can do that."""
        twin = self._twins.path_of(stamp)
        if twin is None or self._copy is None:
            return False
        try:
            await self._copy(twin, relpath)
        except Exception as error:  # noqa: BLE001 - uploading says what is wrong with the store
            if classify(error).reason in {"denied", "refused"}:
                self._copy = None
            return False
        return self._twins.holds(twin, stamp)  # else what was copied may be newer

    async def _remove(self, relpath: str, outcomes: list[bool]) -> None:
        """The file is gone here: it was withdrawn, or stands elsewhere now."""
        try:
            with anyio.fail_after(UPLOAD_TIMEOUT):
                await self._remote.aremove(relpath)
        except Exception as error:  # noqa: BLE001 - a user's store may raise anything
            if self._reason_of(error) != "refused":  # one that cannot remove keeps what it has
                self._queue.failed(relpath, self._reason)
                outcomes.append(False)
                return
        self._queue.vanished(relpath)
        outcomes.append(True)

    async def _failed(self, relpath: str, error: Exception, outcomes: list[bool]) -> None:
        here = await self._in_thread(stamp_of, self._local, relpath)
        if isinstance(error, FileNotFoundError) and here is None:
            await self._remove(relpath, outcomes)
            return
        reason = self._reason_of(error)
        self._queue.failed(relpath, reason)
        outcomes.append(reason == "refused")  # the store works; it is this file that it refuses

    def _reason_of(self, error: Exception) -> Reason:
        self._reason = classify(error).reason
        return self._reason

    async def _withdraw_manifest(self) -> bool:
        """Its presence means complete: an older one goes before its bundle changes."""
        if self._withdrawn:
            return True
        try:
            if await self._remote.aexists(MANIFEST):
                older = await self._remote.aread_bytes(MANIFEST)
                await self._remote.aremove(MANIFEST)
                await self._in_thread(self._mark_replaced, older)
        except Exception as error:  # noqa: BLE001 - a user's store may raise anything
            if self._reason_of(error) != "refused":  # one that cannot remove keeps the old one
                return False
        self._withdrawn = True
        return True

    def _mark_replaced(self, older: bytes) -> None:
        """What an older bundle there has besides goes too: the place is for one bundle."""
        for relpath in self._without_signed(signed_files(older)):
            if is_legal(relpath) and stamp_of(self._local, relpath) is None:
                self.mark(relpath)

    def _without_signed(self, relpaths: list[str]) -> list[str]:
        """All but what the manifest here signs: if such a file is gone, then by no wish of ours."""
        try:
            signed = set(signed_files(self._local.read_bytes(MANIFEST))) if relpaths else set()
        except OSError:  # there is none yet
            return relpaths
        return [relpath for relpath in relpaths if relpath not in signed]

    def _has_changed(self, relpath: str, stamp: str | None) -> bool:
        ours = stamp is not None and belongs(relpath)
        return ours and not self._queue.is_current(relpath, stamp or "")

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
        if self._give_up_after is None or not self._streak:
            return False
        return self._streak >= self._give_up_after or self._reason in _NEEDS_SOMEBODY

    def _call_soon(self, function: Callable[[], object]) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: a later push will find the file
                call_on(self._loop, function)

    async def _pause(self, seconds: float) -> None:
        if self._closing.is_set():
            await anyio.sleep(seconds)
        else:
            with anyio.move_on_after(seconds):
                await self._closing.wait()

    async def _ended_within(self, seconds: float) -> None:
        with anyio.move_on_after(seconds, shield=True):
            await self._ended.wait()
