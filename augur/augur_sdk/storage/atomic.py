"""Writing one local file so that no reader ever sees a part of it.

The new bytes go to a temporary file in the same folder, which then takes the target's name in
one step. Plain `os` calls: this is on the path of every file of a bundle.
"""

# pathlib costs more than the call it wraps; this runs for every file:
# ruff: noqa: PTH105, PTH108, PTH120, PTH123

from __future__ import annotations

import itertools
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

__all__ = [
    "NOFOLLOW",
    "TEMPORARY_PREFIX",
    "TEMPORARY_SUFFIX",
    "append_to",
    "copy_into_place",
    "create_file",
    "discard",
    "link_into_place",
    "move_into_place",
    "open_temporary",
    "replace_file",
    "write_all",
]

TEMPORARY_PREFIX: Final = ".augur-"
TEMPORARY_SUFFIX: Final = ".tmp"

NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_FLAGS: Final = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0) | NOFOLLOW
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS

REPLACE_RETRIES = 10 if os.name == "nt" else 0
"""Windows refuses to replace a file while a scanner or a reader has it open, for milliseconds."""

REPLACE_PAUSE: Final = 0.01
"""First pause between those tries, doubled each time up to a tenth of a second: 0.7 s in all."""

_serial = itertools.count()

R = TypeVar("R")


def _temporary_names(folder: str) -> Iterator[str]:
    """Names to try; each thread's first is always the same, which spares a folder's index work."""
    own = f"{folder}{os.sep}{TEMPORARY_PREFIX}{os.getpid():x}-{threading.get_ident():x}"
    yield own + TEMPORARY_SUFFIX
    while True:
        yield f"{own}-{next(_serial):x}{TEMPORARY_SUFFIX}"


def open_temporary(target: str, mode: int) -> tuple[int, str]:
    """A new file beside `target`, open for writing: its descriptor and its path."""
    return _made_beside(target, lambda path: os.open(path, _CREATE, mode))


def _made_beside(target: str, make: Callable[[str], R]) -> tuple[R, str]:
    """Make a file under a name that is free; returns what `make` returned, and the path."""
    names = _temporary_names(os.path.dirname(target))
    while True:
        path = next(names)
        # Another file that this thread is writing, or left behind by a dead process.
        with suppress(FileExistsError):
            return make(path), path


def write_all(fd: int, data: bytes) -> None:
    """Write every byte, or raise what the operating system raised."""
    written = os.write(fd, data)
    rest = memoryview(data)[written:]
    while rest:
        rest = rest[os.write(fd, rest) :]


def replace_file(target: str, data: bytes, mode: int) -> None:
    """Give `target` these bytes in one step; after an exception nothing has changed."""
    fd, path = open_temporary(target, mode)
    try:
        try:
            write_all(fd, data)
        finally:
            os.close(fd)
        move_into_place(path, target)
    except BaseException:
        discard(path)
        raise


def write_private(target: str | os.PathLike[str], data: bytes) -> None:
    """Give a file these bytes, readable by its owner alone, whatever stood there before."""
    replace_file(str(Path(target).absolute()), data, 0o600)


def create_file(target: str, data: bytes, mode: int) -> None:
    """Create `target` directly; FileExistsError when it is there. Not atomic for readers."""
    fd = os.open(target, _CREATE, mode)
    try:
        write_all(fd, data)
    except BaseException:
        discard(target)
        raise
    finally:
        os.close(fd)


def append_to(target: str, data: bytes, mode: int) -> None:
    """Append these bytes, or after an error leave the file as long as it was."""
    fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _FLAGS, mode)
    try:
        length = os.fstat(fd).st_size
        try:
            write_all(fd, data)
        except BaseException:
            with suppress(OSError):
                os.ftruncate(fd, length)
            raise
    finally:
        os.close(fd)


def move_into_place(path: str, target: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """`os.replace`, tried again for a moment where a file in use cannot be replaced."""
    for attempt in range(REPLACE_RETRIES):
        with suppress(PermissionError):
            os.replace(path, target)
            return
        sleep(min(REPLACE_PAUSE * 2**attempt, 0.1))
    os.replace(path, target)


def link_into_place(existing: str, target: str) -> None:
    """Make `target` another name of `existing`; OSError where the file system cannot."""
    _, path = _made_beside(target, lambda path: os.link(existing, path))
    try:
        move_into_place(path, target)
    finally:
        discard(path)  # replacing one name of a file by another of its names leaves both


def copy_into_place(existing: str, target: str, mode: int) -> None:
    """Give `target` a copy of the bytes of `existing` in one step."""
    fd, path = open_temporary(target, mode)
    try:
        with open(fd, "wb") as copy, open(existing, "rb") as source:
            shutil.copyfileobj(source, copy, 1 << 20)
        move_into_place(path, target)
    except BaseException:
        discard(path)
        raise


def discard(path: str) -> None:
    """Remove a temporary file, if it is still there."""
    with suppress(OSError):
        os.unlink(path)
