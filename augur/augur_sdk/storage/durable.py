"""Getting written files onto the disk itself, a batch at a time."""

# plain paths, as the callers hold them:
# ruff: noqa: PTH120

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from typing import Any

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
        if syncfs(fd) != 0:
            code = ctypes.get_errno()
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
def _syncfs() -> Any:
    """Linux's syncfs(2), which the standard library does not wrap; None elsewhere."""
    with suppress(OSError, AttributeError):
        return ctypes.CDLL(None, use_errno=True).syncfs
    return None
