"""The sessions that are open in this process, for the ends that nobody chooses."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from typing import Protocol

__all__ = ["add", "discard"]

logger: logging.Logger = logging.getLogger("augur_sdk")


class _Session(Protocol):
    def finish_at_exit(self) -> None: ...

    def abandon(self) -> None: ...


_open: set[_Session] = set()
"""One a process: interpreter exit and fork happen to the process, not to a session."""

_lock = threading.Lock()
_registered = False


def add(session: _Session) -> None:
    """Take care of a session until it is closed."""
    global _registered
    with _lock:
        _open.add(session)
        if not _registered:
            _registered = True
            atexit.register(_finish_all)


def discard(session: _Session) -> None:
    """The session is closed."""
    with _lock:
        _open.discard(session)


def _finish_all() -> None:
    for session in list(_open):
        try:
            session.finish_at_exit()
        except Exception:
            logger.exception("a session could not be finished at exit; `augur recover` can")


def _abandon_all() -> None:
    global _lock
    _lock = threading.Lock()
    for session in list(_open):
        session.abandon()
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)
