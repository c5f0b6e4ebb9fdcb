"""News between those who write and those who wait, within the process: which run has changed."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Hub"]


class Hub:
    """Wakes whoever waits for a run or for any run of a tenant; carries no records itself."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], set[asyncio.Event]] = defaultdict(set)
        self.stopping: bool = False

    @contextmanager
    def watch(self, tenant: str, run_id: str = "") -> Iterator[asyncio.Event]:
        """An event that is set whenever the run (or, without one, any run) has changed."""
        key = (tenant, run_id)
        event = asyncio.Event()
        self._waiting[key].add(event)
        try:
            yield event
        finally:
            self._waiting[key].discard(event)
            if not self._waiting[key]:
                del self._waiting[key]

    def changed(self, tenant: str, run_id: str) -> None:
        """Wake those who wait for the run."""
        for key in ((tenant, run_id), (tenant, "")):
            for event in self._waiting.get(key, ()):
                event.set()

    def stop(self) -> None:
        """Wake everybody, for good."""
        self.stopping = True
        for events in self._waiting.values():
            for event in events:
                event.set()
