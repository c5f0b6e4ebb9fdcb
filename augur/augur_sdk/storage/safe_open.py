"""Opening files of a folder that somebody else may have made, without leaving it.

A bundle that was received can hold symbolic links, pipes and devices. Each segment of a path is
opened relative to the folder before it and without following a link, and only a regular file is
handed out, so that neither a link nor a rename between a check and an open leads elsewhere.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

from augur_sdk.storage.paths import checked_relpath

__all__ = ["is_regular", "open_inside", "open_regular", "read_inside", "regular_names"]

_NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_FILE: Final = _NOFOLLOW | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_NONBLOCK: Final = getattr(os, "O_NONBLOCK", 0)
"""Opening a pipe must not wait for somebody at its other end."""

_FOLDER: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
_RELATIVE: Final = os.open in os.supports_dir_fd
_REFUSED: Final = "it is a link, or no regular file"


def open_regular(path: str | os.PathLike[str], flags: int, *, dir_fd: int | None = None) -> int:
    """Open one file itself; its folder is trusted.

    Args:
        path: The file.
        flags: Those of `os.open`; a file that is created gets mode 0600.
        dir_fd: The folder that `path` is relative to.

    Raises:
        OSError: The file system refuses, or a link or something else than a file stands there.
    """
    if not _NOFOLLOW and os.path.islink(path):  # noqa: PTH114 - a path may be text
        raise OSError(errno.ELOOP, _REFUSED)
    fd = os.open(path, flags | _FILE | _NONBLOCK, 0o600, dir_fd=dir_fd)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.ELOOP, _REFUSED)
    return fd


def open_inside(root: str | os.PathLike[str], relpath: str) -> BinaryIO:
    """Open a file below `root` for reading; `root` itself may be a link.

    Raises:
        RecordError: (a ValueError) The path is illegal, or would leave the root.
        OSError: It is not there, cannot be read, or a link is on the way.
    """
    *folders, name = checked_relpath(relpath).split("/")
    if not _RELATIVE:
        return _open_checked(Path(root), folders, name)
    at = os.open(root, _FOLDER)
    try:
        for folder in folders:
            inner = os.open(folder, _FOLDER | _NOFOLLOW, dir_fd=at)
            os.close(at)
            at = inner
        return os.fdopen(open_regular(name, os.O_RDONLY, dir_fd=at), "rb")
    finally:
        os.close(at)


def _open_checked(root: Path, folders: list[str], name: str) -> BinaryIO:
    """Where folders cannot be opened: looked at first, which a fast rename could get past."""
    for folder in folders:
        root /= folder
        if root.is_symlink():
            raise OSError(errno.ELOOP, _REFUSED)
    return os.fdopen(open_regular(root / name, os.O_RDONLY), "rb")


def read_inside(root: str | os.PathLike[str], relpath: str) -> bytes:
    """The bytes of a file below `root`; raises as `open_inside` does."""
    with open_inside(root, relpath) as file:
        return file.read()


def is_regular(root: str | os.PathLike[str], relpath: str) -> bool:
    """Whether `open_inside` hands this file out."""
    try:
        open_inside(root, relpath).close()
    except (OSError, ValueError):
        return False
    return True


def regular_names(root: str | os.PathLike[str], folder: str) -> list[str]:
    """The names of the regular files directly in a folder below `root`, sorted.

    None where the folder is a link or not there. Links, pipes and folders are left out.
    """
    place = Path(root, checked_relpath(folder.rstrip("/")))
    if place.is_symlink() or not place.is_dir():
        return []
    with os.scandir(place) as entries:
        return sorted(entry.name for entry in entries if entry.is_file(follow_symlinks=False))
