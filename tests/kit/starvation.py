"""How long a process's threads waited for a core: the machine's part in a delay."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["stopped_and_waited", "waited_for_a_core"]

PATIENCE = 5.0
"""Seconds for a stopped process's threads to notice; each has to be given a core for it."""


def waited_for_a_core(pid: int) -> float:
    """Seconds that the threads of a process were ready to run and did not, in sum.

    What the kernel counts, so it holds nothing of what the process does to itself: waiting for a
    lock, for the interpreter or for the disk is not waiting for a core. 0 where it is not counted.
    """
    waited = 0
    for task in _tasks(pid):
        with suppress(OSError):
            waited += int((task / "schedstat").read_bytes().split()[1])
    return waited / 1e9


def stopped_and_waited(pid: int) -> float:
    """Stop a process, as a kill would, and say how long its threads have waited for a core.

    A thread that waits is counted once it was given a core; to be stopped it has to be.
    """
    os.kill(pid, signal.SIGSTOP)
    deadline = time.monotonic() + PATIENCE
    while not all(_is_stopped(task) for task in _tasks(pid)) and time.monotonic() < deadline:
        time.sleep(0.001)
    return waited_for_a_core(pid)


def _tasks(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []


def _is_stopped(task: Path) -> bool:
    try:
        return (task / "stat").read_text().rpartition(")")[2].split()[0] in "TtZX"
    except OSError:
        return True
