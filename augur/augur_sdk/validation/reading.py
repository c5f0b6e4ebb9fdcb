"""Where a bundle's bytes come from."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

__all__ = ["BundleReader", "FolderReader"]


class BundleReader(Protocol):
    """What validation needs from whatever holds a bundle. Failures are an OSError."""

    @property
    def name(self) -> str:
        """What the bundle is called in an issue about all of it."""
        ...

    def paths(self) -> Iterator[str]:
        """Yield the bundle-relative path of every file, with forward slashes, in any order."""
        ...

    def open(self, path: str) -> BinaryIO:
        """Open one of those files for reading."""
        ...


class FolderReader:
    """A bundle in a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.name = str(root)

    def paths(self) -> Iterator[str]:
        """Yield every regular file; nothing that could block when it is opened."""
        yield from _walk(os.fspath(self._root))

    def open(self, path: str) -> BinaryIO:
        """Open a file of the bundle."""
        return (self._root / path).open("rb")


def _walk(root: str) -> Iterator[str]:
    pending = [""]
    while pending:
        prefix = pending.pop()
        with os.scandir(os.path.join(root, prefix)) as entries:  # noqa: PTH118 - one a file
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(f"{prefix}{entry.name}/")
                elif entry.is_file():
                    yield prefix + entry.name
