"""The local file system as a store: atomic, private, and unable to leave its root."""

# pathlib is too slow for every file:
# ruff: noqa: PTH100, PTH102, PTH103, PTH108, PTH116, PTH118, PTH123

from __future__ import annotations

import errno
import io
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO, TypeVar

from augur_sdk.errors import RecordError
from augur_sdk.storage import atomic, durable
from augur_sdk.storage.paths import checked_folder, checked_relpath, is_legal

__all__ = ["LocalFSStore"]

R = TypeVar("R")


class LocalFSStore:
    r"""A folder that holds one bundle. Satisfies `Store` and `ListingStore`.

    Guarantees: a file is replaced in one step (write beside it, rename), so a reader sees the old
    bytes or the new ones; after an exception nothing has changed and no temporary file is left;
    a relpath never leaves the root, not through `..` and not through a symbolic link; text is
    UTF-8 with `\n` line ends on every platform. A folder that was removed meanwhile is made anew.

    Nothing is synced to the disk by writing: `sync` and `sync_all` do that for a whole batch.
    All methods may be called from any thread.

    Args:
        root: the folder; made at the first write, not before.
        private: files 0600 and folders 0700. Otherwise the process's umask decides. A root that
            is already there keeps its mode.
    """

    def __init__(self, root: str | os.PathLike[str], *, private: bool = True) -> None:
        self._root = os.path.abspath(os.fspath(root))
        self._file_mode, self._folder_mode = (0o600, 0o700) if private else (0o666, 0o777)
        self._private = private
        self._folders: set[str] = set()  # known to exist inside the root; cleared when one is gone

    def __repr__(self) -> str:
        return f"LocalFSStore({self._root!r}, private={self._private})"

    @property
    def root(self) -> Path:
        """The folder, absolute."""
        return Path(self._root)

    @property
    def root_uri(self) -> str:
        """The folder as a `file://` URI."""
        return self.root.as_uri()

    def path(self, relpath: str) -> Path:
        """Where a file stands, or would."""
        return Path(self._join(checked_relpath(relpath)))

    def signed_url(self, relpath: str, *, ttl_seconds: int = 3600) -> str:  # noqa: ARG002 - see below
        """A `file://` URL. File permissions decide who may read it, for ever: no time limit."""
        return self.path(relpath).as_uri()

    def remove_tree(self) -> None:
        """Remove the folder and all that is in it; nothing happens where there is none.

        Raises:
            OSError: Something in it cannot be removed.
        """
        self._folders.clear()
        if os.path.lexists(self._root):
            shutil.rmtree(self._root)

    # -- the documented protocol

    @contextmanager
    def open_write_binary(self, relpath: str) -> Iterator[IO[bytes]]:
        """Write bytes; visible, whole, when the block ends without an exception."""
        fd, path = self._healing(
            lambda target: atomic.open_temporary(target, self._file_mode), relpath
        )
        file = open(fd, "wb")  # noqa: SIM115 - closed below, before it takes its name
        try:
            with file:
                yield file
            atomic.move_into_place(path, self._join(relpath))
        except BaseException:
            atomic.discard(path)
            raise

    @contextmanager
    def open_write_text(self, relpath: str) -> Iterator[IO[str]]:
        r"""Write UTF-8 text with `\n` line ends; visible when the block ends."""
        with (
            self.open_write_binary(relpath) as raw,
            io.TextIOWrapper(raw, encoding="utf-8", newline="\n") as text,
        ):
            yield text

    def exists(self, relpath: str) -> bool:
        """Whether a file stands there. A symbolic link does not count."""
        try:
            found = os.stat(self._inside(relpath), follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return stat.S_ISREG(found.st_mode)

    def read_text(self, relpath: str) -> str:
        """The file as UTF-8, line ends untouched."""
        return self.read_bytes(relpath).decode("utf-8")

    def read_bytes(self, relpath: str) -> bytes:
        """The file's bytes. FileNotFoundError when it is not there."""
        with self._open(relpath) as file:
            return file.read()

    # -- what a projector and a mirror use besides; synchronous, for worker threads

    def write_bytes(self, relpath: str, data: bytes) -> None:
        """Replace or create a file in one step."""
        self._healing(lambda target: atomic.replace_file(target, data, self._file_mode), relpath)

    def create_bytes(self, relpath: str, data: bytes) -> None:
        """Create a file directly, without the rename: cheaper, for a path written once.

        A reader may see a part of it while it is being written, and a kill may leave a part: only
        for a file that can be made again from elsewhere. FileExistsError when it is there.
        """
        self._healing(lambda target: atomic.create_file(target, data, self._file_mode), relpath)

    def append_bytes(self, relpath: str, data: bytes) -> None:
        """Append; after an error the file is as long as before."""
        self._healing(lambda target: atomic.append_to(target, data, self._file_mode), relpath)

    def link(self, existing: str | os.PathLike[str], relpath: str) -> bool:
        """Give a local file a second name here, or copy it where that cannot be done.

        For files that nobody rewrites in place: a hard link follows such a change. A file that
        others may read is copied into a private store, since a link shares its mode.

        Returns:
            Whether it is a link.
        """
        source = os.fspath(existing)
        if self._linkable(source):
            with suppress(OSError):
                self._healing(lambda target: atomic.link_into_place(source, target), relpath)
                return True
        mode = self._file_mode
        self._healing(lambda target: atomic.copy_into_place(source, target, mode), relpath)
        return False

    def remove(self, relpath: str) -> None:
        """Remove a file; no error when it is not there."""
        with suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(self._inside(relpath))

    def read_range(self, relpath: str, start: int, length: int) -> bytes:
        """At most `length` bytes from offset `start`."""
        with self._open(relpath) as file:
            file.seek(start)
            return file.read(length)

    def list_files(self, prefix: str = "") -> Iterator[str]:
        """The relpaths below a folder, sorted.

        No temporary files, no symbolic links, and nothing whose name no store could hold.
        """
        folder = checked_folder(prefix)
        yield from self._walk(self._join(folder) if folder else self._root, folder)

    def list_folders(self, prefix: str = "") -> list[str]:
        """The folders directly below a folder, sorted; no symbolic links."""
        folder = checked_folder(prefix)
        entries = _entries(self._join(folder) if folder else self._root)
        return [_below(folder, e.name) for e in entries if e.is_dir(follow_symlinks=False)]

    def sync(self, relpaths: Iterable[str]) -> None:
        """Get these files, and the folders that name them, onto the disk."""
        paths = (self._join(checked_relpath(relpath)) for relpath in relpaths)
        durable.sync_files(paths, within=self._root)

    def sync_all(self) -> None:
        """Get everything below the root onto the disk, by one system call where there is one."""
        if not durable.sync_file_system(self._root):
            self.sync(self.list_files())
            durable.sync_names(self._root)

    def clear_temporary(self) -> int:
        """Remove what killed writers left behind; how many. Only while nobody writes here."""
        found = [
            os.path.join(folder, name)
            for folder, _, names in os.walk(self._root)
            for name in names
            if _is_temporary(name)
        ]
        for path in found:
            atomic.discard(path)
        return len(found)

    # -- places

    def _join(self, relpath: str) -> str:
        return f"{self._root}{os.sep}{relpath}"

    def _healing(self, act: Callable[[str], R], relpath: str) -> R:
        """Act on where `relpath` is written; once more when its folder was removed meanwhile."""
        try:
            return act(self._place(relpath))
        except FileNotFoundError:
            self._folders.clear()
            return act(self._place(relpath))

    def _place(self, relpath: str) -> str:
        """Where to write: its folder is there, and inside the root."""
        parent = checked_relpath(relpath).rpartition("/")[0]
        if parent not in self._folders:
            self._make_folder(parent)
        return self._join(relpath)

    def _make_folder(self, parent: str) -> None:
        os.makedirs(self._root, self._folder_mode, exist_ok=True)
        made = ""
        for segment in parent.split("/") if parent else ():
            made = _below(made, segment)
            with suppress(FileExistsError):
                os.mkdir(self._join(made), self._folder_mode)
            self._check_inside(made)
        self._folders.add(parent)

    def _inside(self, relpath: str) -> str:
        """Where to read: its folder, if there is one, is inside the root."""
        parent = checked_relpath(relpath).rpartition("/")[0]
        if parent and parent not in self._folders:
            self._check_inside(parent)
        return self._join(relpath)

    def _check_inside(self, folder: str) -> None:
        root = os.path.realpath(self._root)
        real = os.path.realpath(self._join(folder))
        if os.path.commonpath([root, real]) != root:
            raise RecordError(
                "a path in a store leaves the root through a symbolic link",
                expected="a folder inside the root",
            )

    def _open(self, relpath: str) -> BinaryIO:
        path = self._inside(relpath)
        try:
            return open(path, "rb", opener=_open_itself)
        except (IsADirectoryError, NotADirectoryError):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), relpath) from None
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise RecordError(
                    "a path in a store is a symbolic link", expected="a file of the bundle"
                ) from None
            raise

    def _linkable(self, source: str) -> bool:
        mode = os.stat(source).st_mode
        return not self._private or mode & 0o077 == 0 or os.name == "nt"

    def _walk(self, path: str, folder: str) -> Iterator[str]:
        for entry in _entries(path):
            relpath = _below(folder, entry.name)
            if not is_legal(relpath):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(entry.path, relpath)
            elif entry.is_file(follow_symlinks=False) and not _is_temporary(entry.name):
                yield relpath


def _open_itself(path: str, flags: int) -> int:
    return os.open(path, flags | atomic.NOFOLLOW)


def _below(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _entries(path: str) -> list[os.DirEntry[str]]:
    """A folder's entries in the order of the whole relpaths below it; none when it is not there."""
    try:
        with os.scandir(path) as entries:
            return sorted(entries, key=_order)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _order(entry: os.DirEntry[str]) -> str:
    return f"{entry.name}/" if entry.is_dir(follow_symlinks=False) else entry.name


def _is_temporary(name: str) -> bool:
    return name.startswith(atomic.TEMPORARY_PREFIX) and name.endswith(atomic.TEMPORARY_SUFFIX)
