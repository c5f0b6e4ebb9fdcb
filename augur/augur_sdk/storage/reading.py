"""Reading a bundle, whether it is in a folder or behind a URI."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Final

import orjson

from augur_sdk.bundle.layout import MANIFEST
from augur_sdk.errors import BundleReadError
from augur_sdk.storage.local import LocalFSStore
from augur_sdk.storage.paths import checked_folder
from augur_sdk.storage.protocol import ListingStore, Store
from augur_sdk.storage.uris import is_uri, store_from_uri

__all__ = ["ManifestListing", "is_uri", "kept_copy", "local_copy", "reader_from"]

DOWNLOADS_AT_ONCE: Final = 16
"""Files fetched at a time: a bundle is thousands of small ones, each a round trip."""


def reader_from(place: str | Path | Store) -> ListingStore:
    """The bundle in a folder, behind a URI or in a store, as something to read from.

    It has `exists`, `read_bytes`, `read_text`, `read_range` and `list_files`. Nothing is fetched
    before it is asked for.

    Raises:
        RecordError: a URI that names no store.
        MissingExtraError: an object store, and obstore is not installed.
    """
    store = store_from_uri(str(place)) if isinstance(place, (str, Path)) else place
    return store if isinstance(store, ListingStore) else ManifestListing(store)


@contextmanager
def local_copy(
    place: str | Path | Store,
    *,
    only: Callable[[str], bool] | None = None,
    names_only: Callable[[str], bool] | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Iterator[Path]:
    """A folder with the bundle: the folder itself, or a temporary copy that is private and goes.

    Args:
        place: a folder, a URI or a store.
        only: which relpaths are wanted; all by default. Asked for copies only.
        names_only: which of them only need to be there, and are empty in a copy.
        progress: called with (files done, files in all) while copying.

    Raises:
        BundleReadError: nothing is there.
        StoreError: the store could not be read.
    """
    reader = reader_from(place)
    if isinstance(reader, LocalFSStore):
        yield reader.root
        return
    with tempfile.TemporaryDirectory(prefix="augur-") as folder:
        _download(reader, LocalFSStore(folder), only or _all, names_only or _none, progress)
        yield Path(folder)


def kept_copy(place: str, owner: object) -> Path:
    """A private copy of the bundle behind a URI that goes with its owner, or with the process.

    Raises:
        BundleReadError: nothing is there.
        StoreError: the store could not be read.
    """
    folder = tempfile.mkdtemp(prefix="augur-")
    weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)
    _download(reader_from(place), LocalFSStore(folder), _all, _none, None)
    return Path(folder)


class ManifestListing:
    """A user's own store that cannot list: lists what its manifest names, cuts ranges itself."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def root_uri(self) -> str:
        """Where the bundle is."""
        return self._store.root_uri

    def signed_url(self, relpath: str, *, ttl_seconds: int = 3600) -> str:
        """As the store signs it."""
        return self._store.signed_url(relpath, ttl_seconds=ttl_seconds)

    def open_write_binary(self, relpath: str) -> AbstractContextManager[IO[bytes]]:
        """As the store writes it."""
        return self._store.open_write_binary(relpath)

    def open_write_text(self, relpath: str) -> AbstractContextManager[IO[str]]:
        """As the store writes it."""
        return self._store.open_write_text(relpath)

    def exists(self, relpath: str) -> bool:
        """Whether the file is there."""
        return self._store.exists(relpath)

    def read_text(self, relpath: str) -> str:
        """The file as text."""
        return self._store.read_text(relpath)

    def read_bytes(self, relpath: str) -> bytes:
        """The file's bytes."""
        return self._store.read_bytes(relpath)

    def read_range(self, relpath: str, start: int, length: int) -> bytes:
        """A part of the file, of which the whole is read."""
        return self._store.read_bytes(relpath)[start : start + length]

    def list_files(self, prefix: str = "") -> Iterator[str]:
        """The manifest and what it signs, below a folder, sorted."""
        folder = checked_folder(prefix)
        for relpath in sorted({MANIFEST, *self._signed()} if self.exists(MANIFEST) else ()):
            if not folder or relpath.startswith(f"{folder}/"):
                yield relpath

    def _signed(self) -> list[str]:
        try:
            return list(orjson.loads(self.read_bytes(MANIFEST))["signatures"])
        except (ValueError, KeyError, TypeError):
            raise BundleReadError(
                "the manifest does not say which files there are, and the store cannot list them"
            ) from None


def _download(
    reader: ListingStore,
    local: LocalFSStore,
    only: Callable[[str], bool],
    names_only: Callable[[str], bool],
    progress: Callable[[int, int], object] | None,
) -> None:
    def fetch(relpath: str) -> None:
        data = b"" if names_only(relpath) else reader.read_bytes(relpath)
        local.write_bytes(relpath, data)

    wanted = [relpath for relpath in reader.list_files() if only(relpath)]
    if not wanted:
        raise BundleReadError("there is no bundle at this place", fix="Check the URI's prefix.")
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE, "augur-download") as pool:
        for done, _ in enumerate(pool.map(fetch, wanted), 1):
            if progress is not None:
                progress(done, len(wanted))


def _all(_: str) -> bool:
    return True


def _none(_: str) -> bool:
    return False
