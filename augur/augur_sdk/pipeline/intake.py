"""Storing batches: the steps between inbox and journal, shared by all who take them.

The writer task takes them in turns with waiting; a session without threads, a repeated close
and interpreter exit take them at once on the calling thread.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from augur_sdk.bundle.archive import Archive, Prepared
from augur_sdk.bundle.faults import fault_of
from augur_sdk.bundle.journal import Line
from augur_sdk.entry import Entry
from augur_sdk.pipeline.inbox import Inbox
from augur_sdk.pipeline.losses import Losses, Reason
from augur_sdk.pipeline.progress import Progress

__all__ = ["BATCH_BYTES", "BATCH_ITEMS", "Intake"]

BATCH_ITEMS: Final = 256
BATCH_BYTES: Final = 4 * 1024 * 1024
"""A batch takes some ten milliseconds, so that nobody waits long behind it."""


class Intake:
    """A batch's way into the journal, in steps that can be interrupted and taken over.

    A batch that was taken stays held, in order, until the journal has it. Whoever takes over
    processes it again; the journal's reader skips what then stands there twice.

    `on_stored` hears of each batch that the journal holds, on whichever thread stored it; `notes`
    gives lines that are no records (acknowledgements), to be appended when there is time.
    """

    def __init__(self, archive: Archive, inbox: Inbox, losses: Losses, progress: Progress) -> None:
        self.archive = archive
        self.inbox = inbox
        self.losses = losses
        self.progress = progress
        self.stored: int = 0
        self.on_stored: Callable[[list[Line]], None] | None = None
        self.notes: Callable[[], bytes] = bytes
        self._mutex = threading.RLock()
        self._held: deque[list[Entry]] = deque()
        self._taken_over = False

    def take(self) -> list[Entry]:
        """The next batch; none once another thread has taken over."""
        with self._mutex:
            return [] if self._taken_over else self._take()

    def _take(self) -> list[Entry]:
        batch = self.inbox.take(BATCH_ITEMS, BATCH_BYTES)
        if batch:
            self._held.append(batch)
        return batch

    def prepare(self, batch: list[Entry]) -> Prepared:
        """Redact, encode and put pictures on disk.

        Raises:
            OSError: The disk is at fault.
        """
        self.repair()
        return self.archive.prepare(batch)

    def repair(self) -> None:
        """Make the folder again where it was taken away under the run.

        Raises:
            OSError: It cannot be made yet.
        """
        lost = self.archive.rebuild_if_moved()
        if lost:
            self.stored -= lost
            self.losses.drop(Reason.FOLDER_GONE, lost)

    def commit(self, prepared: Prepared, start: int) -> None:
        """Take note of an append; does nothing when another thread has taken over."""
        with self._mutex:
            if not self._taken_over:
                self._commit(prepared, start)

    def _commit(self, prepared: Prepared, start: int) -> None:
        self.archive.commit(prepared, start)
        if self.on_stored is not None:
            self.on_stored(prepared.lines)
        self.stored += len(prepared.lines) - prepared.notes
        for _, fault in prepared.lost:
            self.losses.drop(Reason(fault.value))
        self._held.popleft()
        self.losses.healed()
        self.inbox.shed(None)
        self.progress.reached(prepared.last_seq)

    def failed(self, error: OSError) -> None:
        """The disk refused a batch: it stays held, and what does not fit is shed."""
        reason = Reason(fault_of(error).value)
        self.losses.fault(reason)
        self.inbox.shed(reason)

    def take_over(self) -> None:
        """From here on the calling thread alone stores batches, with `store_all`."""
        with self._mutex:
            self._taken_over = True

    def store_all(self) -> None:
        """Store everything that waits, on the calling thread.

        Raises:
            OSError: The disk is at fault; what was not stored stays held.
        """
        with self._mutex:
            self._repair_here()
            while batch := self._held[0] if self._held else self._take():
                try:
                    prepared = self.prepare(batch)
                    start = self.archive.journal.append(bytes(prepared.data))
                except OSError as error:
                    self.failed(error)
                    raise
                self._commit(prepared, start)

    def _repair_here(self) -> None:
        try:
            self.repair()
        except OSError as error:
            self.failed(error)
            raise
