"""Where a bundle's bytes come from."""

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final, Protocol

__all__ = ["BundleReader", "FolderReader"]

_BLOCK: Final = 1 << 16
_READ: Final = os.O_RDONLY | getattr(os, "O_BINARY", 0)


class BundleReader(Protocol):
    """What validation needs from whatever holds a bundle. Failures are an OSError."""

    @property
    def name(self) -> str:
        """What the bundle is called in an issue about all of it."""
        ...

    def paths(self) -> Iterator[str]:
        """Yield the bundle-relative path of every file, with forward slashes, in any order."""
        ...

    def read(self, path: str) -> bytes:
        """Return the bytes of one of those files."""
        ...

    def open(self, path: str) -> BinaryIO:
        """Open one of those files, to read it piece by piece."""
        ...


class FolderReader:
    """A bundle in a folder."""

    def __init__(self, root: Path) -> None:
        self.name: str = os.fspath(root)
        self._prefix = os.path.join(self.name, "")  # noqa: PTH118 - keeps the final separator

    def paths(self) -> Iterator[str]:
        """Yield every regular file; nothing that could block when it is opened."""
        yield from _walk(self._prefix)

    def read(self, path: str) -> bytes:
        """Return a file's bytes."""
        with self.open(path) as file:
            return file.read()

    def open(self, path: str) -> BinaryIO:
        """Open a file of the bundle.

        Two small files a step: a file object for each would cost more than checking it.
        """
        descriptor = os.open(self._prefix + path, _READ)
        try:
            head = os.read(descriptor, _BLOCK)
        finally:
            os.close(descriptor)
        if len(head) < _BLOCK:  # which a regular file gives at its end only
            return BytesIO(head)
        return open(self._prefix + path, "rb")  # noqa: PTH123 - a joined string, see _walk


def _walk(root: str) -> Iterator[str]:
    """Yield the files below a folder. Plain strings: a long run has a hundred thousand files."""
    pending = [""]
    while pending:
        prefix = pending.pop()
        with os.scandir(root + prefix) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(f"{prefix}{entry.name}/")
                elif entry.is_file():
                    yield prefix + entry.name
