"""Getting written files onto the disk itself, a batch at a time."""

# plain paths, as the callers hold them:
# ruff: noqa: PTH100, PTH116, PTH120

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache

__all__ = ["sync_file_system", "sync_files", "sync_names"]


def sync_files(paths: Iterable[str], *, within: str) -> None:
    """Sync each file that is still there, then the folders down to it, from `within` on."""
    folders: set[str] = set()
    for path in paths:
        with suppress(FileNotFoundError):
            _sync(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
        while len(path) > len(within) and (path := os.path.dirname(path)) not in folders:
            folders.add(path)
    if os.name != "nt":  # Windows has no descriptor for a folder, and needs none
        for folder in folders:
            with suppress(FileNotFoundError):
                _sync(folder, os.O_RDONLY)


def sync_names(folder: str) -> None:
    """Sync a folder and those above it on its file system: what is in it can be found by name.

    One that this process may not open, or that its file system cannot sync, is passed over.
    """
    if os.name == "nt":  # as above
        return
    folder = os.path.abspath(folder)
    device = os.stat(folder).st_dev
    while os.stat(folder).st_dev == device:
        with suppress(OSError):
            _sync(folder, os.O_RDONLY)
        if (above := os.path.dirname(folder)) == folder:
            return
        folder = above


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
