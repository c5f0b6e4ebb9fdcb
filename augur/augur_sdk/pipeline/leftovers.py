"""Finishing and sending what earlier processes left beside this run's folder, behind the run."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import anyio

from augur_sdk.bundle import layout
from augur_sdk.bundle.journal import JournalFile, Ref
from augur_sdk.bundle.recover import recover_bundle
from augur_sdk.errors import BundleInUseError
from augur_sdk.pipeline.journal_source import JournalSource
from augur_sdk.pipeline.spooled_run import SpooledRun, read_opening
from augur_sdk.streaming.dsn import DSN
from augur_sdk.streaming.sender import Sender

__all__ = ["Leftovers", "find_leftovers"]

logger: logging.Logger = logging.getLogger("augur_sdk")

T = TypeVar("T")

MOST: Final = 16
"""Folders looked into by one session, the newest: the next sessions go on."""

LARGEST: Final = 256 * 1024 * 1024
"""Bytes of a journal; reading a larger one behind a run would be felt. `augur push` takes it."""

LARGEST_TO_FINISH: Final = 16 * 1024 * 1024
"""Bytes of a journal; making a bundle of it takes a worker some half a second at once."""

LOOKED_AT: Final = 1000
"""Names read of the folder above: it may be anybody's."""

_in_hand: set[Path] = set()
"""Folders that a session of this process is sending; only touched on the portal."""


class Leftovers:
    """Sends one leftover run after the other until stopped; on the portal.

    Args:
        dsn: Where to.
        destination: Its digest, by which journals say that they were meant for it.
        own: This run's folder; its neighbours are looked at.
        in_worker: Runs a plain call in a worker thread.
    """

    def __init__(
        self,
        dsn: DSN,
        destination: str,
        own: Path,
        in_worker: Callable[..., Awaitable[Any]],
    ) -> None:
        self._dsn = dsn
        self._destination = destination
        self._own = own
        self._in_worker = in_worker
        self._sender: Sender | None = None
        self._stopping = False

    async def run(self) -> None:
        """Look for leftover runs, and send them; what cannot be read or sent stays."""
        folders = await self._in_worker(find_leftovers, self._own, self._destination)
        for folder in folders:
            if not self._stopping and folder not in _in_hand:
                _in_hand.add(folder)
                try:
                    await self._send(folder)
                except (OSError, ValueError):
                    logger.debug("a leftover run could not be read")
                finally:
                    _in_hand.discard(folder)

    async def stop(self) -> None:
        """Break off; what was sent is noted in the journals."""
        self._stopping = True
        if self._sender is not None:
            await self._sender.drain(0.0)

    async def _send(self, folder: Path) -> None:
        await self._in_worker(_finish, folder)
        run: SpooledRun = await self._in_worker(SpooledRun.open, folder, self._destination)
        try:
            if run.log.pending and not self._stopping:
                await self._deliver(run)
                await self._note(run)
        finally:
            run.close()

    async def _deliver(self, run: SpooledRun) -> None:
        async def read(ref: Ref) -> bytes:
            data: bytes = await self._in_worker(run.read, ref)
            return data

        source = JournalSource(run.log, run.root, read)
        source.end()
        self._sender = Sender(source, self._dsn, run_id=run.run_id, session_id=run.session_id)
        try:
            await self._sender.run()
        finally:
            self._sender = None

    async def _note(self, run: SpooledRun) -> None:
        with anyio.CancelScope(shield=True):
            await self._in_worker(run.note, self._dsn.base_url)


def _finish(folder: Path) -> None:
    """Make a bundle of what a killed process left; one that is large is left to `augur push`."""
    journal = folder / layout.JOURNAL
    if not (folder / layout.MANIFEST).exists() and journal.stat().st_size <= LARGEST_TO_FINISH:
        recover_bundle(folder)


def find_leftovers(own: Path, destination: str) -> list[Path]:
    """Folders beside `own` with a journal for a destination that no live session holds."""
    try:
        names = sorted(
            entry for _, entry in zip(range(LOOKED_AT), own.parent.iterdir(), strict=False)
        )
    except OSError:
        return []
    journals = [(name / layout.JOURNAL) for name in names if name != own]
    found = [path for path in journals if _fits(path, destination)]
    newest = sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)
    return [path.parent for path in newest[:MOST]]


def _fits(journal: Path, destination: str) -> bool:
    try:
        if not 0 < journal.stat().st_size <= LARGEST:
            return False
        return read_opening(journal).get("destination") == destination and _is_free(journal)
    except OSError:
        return False


def _is_free(path: Path) -> bool:
    journal = JournalFile(path)
    try:
        journal.open()
    except BundleInUseError:
        return False
    journal.close()
    return True
