"""The mirror of a session: its bundle, copied behind the run to the store that it was given.

The agent never waits for the store. Closing gives the mirror what is left of the flush timeout;
what is missing in the store then is noted beside the bundle, which is complete where it is, and
`augur push --store` finishes it. At interpreter exit nothing more is sent.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import anyio

from augur_sdk.bundle.archive import Archive
from augur_sdk.pipeline.portal import Runtime
from augur_sdk.pipeline.settled_files import SETTLE, SettledFiles
from augur_sdk.storage import LocalFSStore, Store
from augur_sdk.storage.mirror import BREAK_OFF_GRACE, Mirror, UploadState

__all__ = ["Mirroring", "mirroring_to"]

logger: logging.Logger = logging.getLogger("augur_sdk")

T = TypeVar("T")

HOP: Final = 1.0
"""Seconds beyond its budget that the mirror's end may take on a busy machine: hops, and a note."""


def mirroring_to(store: Store, archive: Archive, text: Callable[[str], str]) -> Mirroring | None:
    """The mirror to a store; None when that is the bundle's own folder.

    Blocks for a moment. A store that cannot even say where it is gets none either, and a warning.

    Args:
        store: Where to.
        archive: The bundle, open.
        text: Redacts what is logged.
    """
    try:
        if _is_folder(store, archive.root):
            return None
        return Mirroring(store, archive, text)
    except Exception:  # a user's store may raise anything
        logger.exception("the bundle in %s is not copied to its store", archive.root)
        return None


def _is_folder(store: Store, root: Path) -> bool:
    if isinstance(store, LocalFSStore):
        return os.path.realpath(store.root) == os.path.realpath(root)
    return store.root_uri.rstrip("/") == LocalFSStore(root).root_uri


class Mirroring:
    """Runs a mirror on the portal, and ends it in time."""

    def __init__(self, store: Store, archive: Archive, text: Callable[[str], str]) -> None:
        self._where = text(store.root_uri)
        self._root = archive.root
        self._files = SettledFiles()
        self._runtime: Runtime | None = None
        self._task: Future[None] | None = None
        self._mirror = Mirror(
            LocalFSStore(archive.root), store, on_turn=self._turned, in_thread=self._in_worker
        )
        archive.projection.on_change = self._changed

    @property
    def state(self) -> UploadState:
        """Where the upload stands."""
        return self._mirror.state

    @property
    def ended(self) -> bool:
        """Whether nothing of it runs on the portal any more."""
        return self._task is None or self._task.done()

    def start(self, runtime: Runtime) -> None:
        """Begin to copy; from any thread but the portal's."""
        self._runtime = runtime
        self._task = runtime.portal.start_task_soon(self._run)

    def finish(self, budget: float) -> None:
        """Copy what is left for at most about `budget` seconds, and note what is missing then."""
        if self._runtime is not None and not self.ended and budget > 0:
            with suppress(OSError):  # a folder that cannot be listed: the note says what is there
                self._mirror.mark_changed()
            done = self._runtime.portal.start_task_soon(self._mirror.finish, budget)
            with suppress(FutureTimeoutError):
                done.result(budget + BREAK_OFF_GRACE + HOP)
        self.leave()
        if not self.state.complete:
            logger.warning(
                "the bundle in %s is complete, but not yet in %s; to finish: "
                "augur push --store %s %s",
                *(self._root, self._where, self._where, self._root),
            )

    def break_off(self) -> None:
        """End in the middle of the work in hand; waits for a moment."""
        self._mirror.break_off()
        if self._task is not None:
            with suppress(Exception):
                self._task.result(BREAK_OFF_GRACE)

    def leave(self) -> None:
        """End without sending anything more; the note beside the bundle says what is there."""
        self.break_off()
        self._mirror.leave_note()

    def _changed(self, path: str) -> None:
        self._files.changed(path, time.monotonic())

    async def _run(self) -> None:
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._hand_over)
                await self._mirror.run()
                tasks.cancel_scope.cancel()
        except* RuntimeError:
            pass  # the interpreter is going down and takes no more work for threads

    async def _hand_over(self) -> None:
        while True:
            for path in self._files.settled(time.monotonic()):
                self._mirror.mark(path)
            await anyio.sleep(SETTLE / 2)

    async def _in_worker(self, function: Callable[..., T], *args: Any) -> T:
        if self._runtime is None:
            raise RuntimeError("the mirror was not started")
        return await self._runtime.in_worker(function, *args)

    def _turned(self, reason: str | None) -> None:
        if reason is None:
            logger.warning("%s: the store takes the bundle again", self._where)
        else:
            logger.warning(
                "%s: the store takes nothing at the moment (%s); the run goes on, the bundle is "
                "complete in %s and copied once the store works",
                *(self._where, reason, self._root),
            )
