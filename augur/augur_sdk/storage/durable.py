"""Getting written files onto the disk itself, a batch at a time."""

# plain paths, as the callers hold them:
# ruff: noqa: PTH120

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache

__all__ = ["sync_file_system", "sync_files"]


def sync_files(paths: Iterable[str]) -> None:
    """Sync each file that is still there, then each folder that names one of them."""
    folders: set[str] = set()
    for path in paths:
        with suppress(FileNotFoundError):
            _sync(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
        folders.add(os.path.dirname(path))
    if os.name != "nt":  # Windows has no descriptor for a folder, and needs none
        for folder in folders:
            with suppress(FileNotFoundError):
                _sync(folder, os.O_RDONLY)


def sync_file_system(folder: str) -> bool:
    """Sync the whole file system that holds `folder` in one call; False where there is none.

    Raises:
        OSError: what the operating system reports of the write-back.
    """
    syncfs = _syncfs()
    if syncfs is None:
        return False
    fd = os.open(folder, os.O_RDONLY)
    try:
        if code := syncfs(fd):
            raise OSError(code, os.strerror(code))
    finally:
        os.close(fd)
    return True


def _sync(path: str, flags: int) -> None:
    fd = os.open(path, flags)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@cache
def _syncfs() -> Callable[[int], int] | None:
    """Linux's syncfs(2), which the standard library does not wrap: 0, or an errno."""
    import ctypes

    try:
        call = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError, TypeError):  # TypeError: Windows has no library of no name
        return None
    return lambda fd: ctypes.get_errno() if call(fd) else 0
