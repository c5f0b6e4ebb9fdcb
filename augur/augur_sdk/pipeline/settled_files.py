"""Which files of a growing bundle are ready to be copied elsewhere: pure state, no I/O.

What belongs to a step is ready once the step itself stands there and none of its files has changed
for a while: until then it may still be withdrawn (a screenshot comes before the step that turns out
to be sensitive), or be written again. Files of the whole run grow until its end, and are left to
whoever ends it; the schemas never change.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Final

from augur_sdk.bundle import layout

__all__ = ["SETTLE", "SettledFiles"]

SETTLE: Final = 1.0
"""Seconds without a change: longer than a step's records take to come one after the other."""


@dataclass
class _Step:
    changed_at: float = 0.0
    paths: dict[str, None] = field(default_factory=dict)


class SettledFiles:
    """Takes note of changes, from any thread, and says which files have settled since."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._steps: dict[int, _Step] = {}
        self._standing: set[int] = set()
        self._ready: list[str] = []

    def changed(self, path: str, now: float) -> None:
        """A file was written or removed."""
        index = layout.step_of(path)
        with self._lock:
            if index is not None:
                if path.startswith(layout.PATHS["steps"]):
                    self._standing.add(index)
                step = self._steps.setdefault(index, _Step())
                step.changed_at = now
                step.paths[path] = None
            elif path.startswith(layout.PATHS["schema"]):
                self._ready.append(path)

    def settled(self, now: float) -> list[str]:
        """What has settled since the last time, in the order of its first change."""
        with self._lock:
            ready, self._ready = self._ready, []
            quiet = [
                index
                for index, step in self._steps.items()
                if index in self._standing and now - step.changed_at >= SETTLE
            ]
            return ready + [path for index in quiet for path in self._steps.pop(index).paths]
