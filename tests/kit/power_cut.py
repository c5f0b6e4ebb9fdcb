"""A page cache and a disk behind it: what a power cut would leave of a folder.

`DiskBehind` stands where the package calls fsync, fdatasync and syncfs. It keeps what these
calls guarantee, and no more: a file's bytes as they were when its sync began, a folder's names as
they were when the folder's did. Everything else is lost, or left in the states that file systems
leave it in.
"""

from __future__ import annotations

import os
import random
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import pytest

from augur_sdk.bundle import layout
from augur_sdk.storage import durable

__all__ = ["DiskBehind", "OnDisk", "Unsynced"]


class Unsynced(Enum):
    """What becomes of what no sync covered."""

    LOST = "lost"
    """The strictest: a name or a byte that was not synced is not there."""

    EMPTY = "empty"
    """Every name is there, files without their bytes, a longer file's end is zeros."""

    TORN = "torn"
    """As much of the journal as the kernel had written back by itself, cut anywhere."""


@dataclass
class OnDisk:
    """What is on the disk itself: which name stands for which file, and each file's bytes."""

    names: dict[str, int] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    contents: dict[int, bytes] = field(default_factory=dict)

    def files(self) -> dict[str, bytes]:
        """The files that can be reached by names that are on the disk, all folders included."""
        return {
            name: self.contents.get(inode, b"")
            for name, inode in self.names.items()
            if all(str(above) in self.folders for above in Path(name).parents[:-1])
        }

    def copy(self) -> OnDisk:
        return OnDisk(dict(self.names), set(self.folders), dict(self.contents))


class DiskBehind:
    """The disk behind a folder of a live session.

    Args:
        folder: The session's folder; the folder above is on the disk already.
        syncfs: Whether the system can sync a whole file system with one call.
    """

    def __init__(self, folder: Path, *, syncfs: bool = True) -> None:
        self.folder = folder
        self.syncs: list[tuple[str, OnDisk]] = []
        self.broken: Callable[[str], bool] = lambda _: False
        self._above = folder.parent
        self._now = OnDisk()
        self._lock = threading.Lock()
        self._syncfs = syncfs

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Take the place of the calls; nothing is really synced any more."""
        patch.setattr(os, "fsync", lambda fd: self._sync("fsync", fd, self._file_or_folder))
        patch.setattr(os, "fdatasync", lambda fd: self._sync("fdatasync", fd, self._file_or_folder))

        def call(fd: int) -> int:
            self._sync("syncfs", fd, self._everything)
            return 0

        patch.setattr(durable, "_syncfs", lambda: call if self._syncfs else None)

    def state(self) -> OnDisk:
        """What is on the disk now."""
        with self._lock:
            return self._now.copy()

    def cut(self, target: Path, unsynced: Unsynced = Unsynced.LOST, *, seed: int = 0) -> Path:
        """Make the folder that is found after a power cut at this instant; returns it."""
        return self.left_by(self.state(), target, unsynced, seed=seed)

    def left_by(
        self, state: OnDisk, target: Path, unsynced: Unsynced = Unsynced.LOST, *, seed: int = 0
    ) -> Path:
        """The same for an earlier state of the disk."""
        files = state.files()
        journal = f"{self.folder.name}/{layout.JOURNAL}"
        if unsynced is Unsynced.EMPTY:
            for name in self._live_files():
                files.setdefault(name, b"")
        alive = self.folder / layout.JOURNAL
        if unsynced is not Unsynced.LOST and alive.exists():
            files[journal] = _with_a_tail(
                files.get(journal, b""), alive.read_bytes(), unsynced, seed
            )
        for name, data in files.items():
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return target / self.folder.name

    def _sync(self, call: str, fd: int, keep: Callable[[os.stat_result, int], bool]) -> None:
        if self.broken(call):
            return
        with self._lock:
            if keep(os.fstat(fd), fd):
                self.syncs.append((call, self._now.copy()))

    def _file_or_folder(self, found: os.stat_result, fd: int) -> bool:
        if not stat.S_ISDIR(found.st_mode):
            self._now.contents[found.st_ino] = os.pread(fd, found.st_size, 0)
            return True
        for folder in self._folders():
            if folder.stat().st_ino == found.st_ino:
                self._keep_names(folder)
                return True
        return False

    def _everything(self, found: os.stat_result, _: int) -> bool:  # noqa: ARG002 - as the other
        # The journal first: what its lines speak of was written before them.
        journal = self.folder / layout.JOURNAL
        if journal.exists():
            self._now.contents[journal.stat().st_ino] = journal.read_bytes()
        for folder in self._folders():
            self._keep_names(folder)
            for path in folder.iterdir():
                self._keep_bytes(path)
        return True

    def _keep_bytes(self, path: Path) -> None:
        if path.name == layout.JOURNAL:
            return
        try:
            with path.open("rb") as file:
                self._now.contents[os.fstat(file.fileno()).st_ino] = file.read()
        except (FileNotFoundError, IsADirectoryError):
            return  # a temporary file, gone meanwhile

    def _keep_names(self, folder: Path) -> None:
        below = folder.relative_to(self._above)
        now = self._now
        now.names = {n: inode for n, inode in now.names.items() if Path(n).parent != below}
        now.folders = {name for name in now.folders if Path(name).parent != below}
        with os.scandir(folder) as entries:
            for entry in entries:
                name = str(below / entry.name)
                if entry.is_dir(follow_symlinks=False):
                    now.folders.add(name)
                else:
                    now.names[name] = entry.inode()

    def _folders(self) -> list[Path]:
        inside = [Path(folder) for folder, _, _ in os.walk(self.folder)]
        return [self._above, *inside]

    def _live_files(self) -> list[str]:
        paths = [path for path in self.folder.rglob("*") if path.is_file()]
        return [str(path.relative_to(self._above)) for path in paths]


def _with_a_tail(synced: bytes, alive: bytes, unsynced: Unsynced, seed: int) -> bytes:
    tail = alive[len(synced) :]
    if unsynced is Unsynced.EMPTY:
        return synced + bytes(len(tail))
    chance = random.Random(seed)  # noqa: S311 - no secret
    return synced + tail[: chance.randint(0, len(tail))]
