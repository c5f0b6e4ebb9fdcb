"""The journal's file on the portal: appends that do not hold the event loop."""

from __future__ import annotations

import io
from concurrent.futures import Executor

from aiofiles.threadpool import wrap
from aiofiles.threadpool.binary import AsyncFileIO

from augur_sdk.bundle.journal import JournalFile

__all__ = ["AsyncJournal"]


class AsyncJournal:
    """Appends to a journal through aiofiles, on the given workers."""

    def __init__(self, journal: JournalFile, workers: Executor) -> None:
        self._journal = journal
        self._workers = workers
        self._raw: io.FileIO | None = None
        self._file: AsyncFileIO | None = None

    async def append(self, lines: bytes) -> int:
        """Append lines at once; returns the offset of the first.

        Raises:
            OSError: Nothing, or only a torn line that readers skip, was written.
            RuntimeError: The interpreter is shutting down.
        """
        framed = memoryview(self._journal.frame(lines))
        start = self._journal.size + len(framed) - len(lines)
        file = self._opened()
        try:
            written = 0
            while written < len(framed):
                written += await file.write(framed[written:])
        except OSError:
            self._journal.mend()
            raise
        self._journal.written(len(framed))
        return start

    def _opened(self) -> AsyncFileIO:
        raw = self._journal.raw
        if raw is None:
            raise OSError("the journal is not open")
        file = self._file
        if file is None or self._raw is not raw:
            # The file is another one after the folder was taken away and made again.
            self._raw = raw
            self._file = file = wrap(raw, executor=self._workers)
        return file
