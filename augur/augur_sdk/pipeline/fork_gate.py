"""Forks wait for the workers' jobs, so that a child inherits no lock that a worker held.

Locks in C libraries (a regular expression's cache, an import in progress) cannot be made anew
in the child; a fork that waits some milliseconds for the job in hand finds them all free.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["job"]

FORK_PATIENCE: Final = 0.5
"""Seconds that a fork waits for a job: a hanging disk must not keep the agent from forking."""


class _Gate:
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running = 0
        self._forking = False

    def enter(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._forking, FORK_PATIENCE)
            self._running += 1

    def leave(self) -> None:
        with self._changed:
            self._running -= 1
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._forking = True
            self._changed.wait_for(lambda: self._running == 0, FORK_PATIENCE)

    def open(self) -> None:
        with self._changed:
            self._forking = False
            self._changed.notify_all()


_gate = _Gate()
"""One a process: a fork copies the process."""


@contextmanager
def job() -> Iterator[None]:
    """Run a worker's job while no fork happens."""
    gate = _gate
    gate.enter()
    try:
        yield
    finally:
        gate.leave()


def _close_gate() -> None:
    _gate.close()


def _open_gate() -> None:
    _gate.open()


def _new_gate() -> None:
    global _gate
    _gate = _Gate()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_close_gate, after_in_parent=_open_gate, after_in_child=_new_gate)
