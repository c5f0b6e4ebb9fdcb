"""Sending a bundle to a server after its session: what `augur push DIR` does."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread

from augur_sdk.bundle import layout
from augur_sdk.bundle.journal import JournalFile, Ref
from augur_sdk.bundle.recover import recover_bundle
from augur_sdk.pipeline.delivering import destination_of
from augur_sdk.pipeline.inventory import Inventory
from augur_sdk.pipeline.journal_source import JournalSource
from augur_sdk.pipeline.respooling import respool
from augur_sdk.pipeline.spooled_run import SpooledRun
from augur_sdk.streaming.delivery import Item
from augur_sdk.streaming.dsn import DSN
from augur_sdk.streaming.other_files import send_files
from augur_sdk.streaming.sender import Sender

__all__ = ["PATIENCE", "PushReport", "push_run"]

PATIENCE: Final = 30.0
"""Seconds without any answer that counts, after which a push gives up; it can be repeated."""

NOTE_INTERVAL: Final = 1.0
"""Seconds between notes of what was sent: a push that is killed goes on about there."""


@dataclass(frozen=True)
class PushReport:
    """What came of a push.

    Attributes:
        sent: Records that the server has now.
        pending: Records that it has not; the next push sends them.
        refused: Records that it has refused for good, by status; the bundle keeps them.
        blocked: How many of the pending wait for something outside to change, by reason.
    """

    sent: int
    pending: int
    refused: dict[int, int] = field(default_factory=dict)
    blocked: dict[str, int] = field(default_factory=dict)


async def push_run(
    root: Path,
    dsn: DSN,
    *,
    progress: Callable[[int, int], object] | None = None,
    patience: float = PATIENCE,
) -> PushReport:
    """Send what a server does not have of a bundle, also of one by another producer.

    A run that was killed is finished first. Can be broken off and repeated: it goes on where the
    last one stopped. What the server has refused for good is not sent again.

    Args:
        root: The bundle's folder.
        dsn: Where to.
        progress: Called with (records settled, records in all).
        patience: Seconds without progress after which it gives up.

    Raises:
        BundleReadError: The folder holds no bundle that can be read.
        BundleInUseError: Its session is still alive.
        OSError: The disk refuses.
    """
    run = await anyio.to_thread.run_sync(_opened, root, destination_of(dsn))
    try:
        await _Push(run, dsn, progress, patience).run()
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(run.note, dsn.base_url)
        run.close()
    return PushReport(run.log.sent, run.log.pending, run.log.refused, run.log.blocked)


def _opened(root: Path, destination: str) -> SpooledRun:
    journal = root / layout.JOURNAL
    if journal.exists():
        held = JournalFile(journal)
        held.open()  # raises while the session lives
        held.close()
    if not (root / layout.MANIFEST).exists():
        recover_bundle(root)
    if not journal.exists():
        respool(root, destination)
    return SpooledRun.open(root, destination)


class _Missing(JournalSource):
    """A journal's records without those that the server has."""

    inventory: Inventory | None = None

    async def next_batch(self, limit: int) -> list[Item]:
        """Up to `limit` records that are to be sent."""
        while batch := await super().next_batch(limit):
            missing = [item for item in batch if not await self._is_there(item)]
            if missing:
                return missing
        return []

    async def _is_there(self, item: Item) -> bool:
        if self.inventory is None:
            return False
        there = await anyio.to_thread.run_sync(self.inventory.has, item, self._root)
        if there:
            self.ack(item.seq, item.also)
        return there


class _Push:
    def __init__(
        self,
        run: SpooledRun,
        dsn: DSN,
        progress: Callable[[int, int], object] | None,
        patience: float,
    ) -> None:
        self._run = run
        self._dsn = dsn
        self._progress = progress
        self._patience = patience
        self._moved = time.monotonic()
        self._total = run.log.sent + run.log.pending + sum(run.log.refused.values())

    async def run(self) -> None:
        run = self._run
        source = _Missing(run.log, run.root, self._read, self._changed)
        source.inventory = await Inventory.ask(
            self._dsn, run.run_id, run.recorded_by, run.session_id, run.counts
        )
        source.end()
        sender = Sender(source, self._dsn, run_id=self._run.run_id, session_id=self._run.session_id)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch, sender)
            await sender.run()
            tasks.cancel_scope.cancel()
        await send_files(self._dsn, run.run_id, run.root)

    async def _read(self, ref: Ref) -> bytes:
        return await anyio.to_thread.run_sync(self._run.read, ref)

    def _changed(self) -> None:
        self._moved = time.monotonic()
        if self._progress is not None:
            log = self._run.log
            self._progress(log.sent + sum(log.refused.values()), self._total)

    async def _watch(self, sender: Sender) -> None:
        while time.monotonic() - self._moved < self._patience:
            await anyio.sleep(min(NOTE_INTERVAL, self._patience / 4))
            if self._run.log.changed and self._run.log.pending:
                await anyio.to_thread.run_sync(self._run.note, self._dsn.base_url)
        await sender.drain(0.0)
