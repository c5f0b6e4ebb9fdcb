"""The asynchronous side of any `Store`: its own where it has one, worker threads where not."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from augur_sdk.storage.daemon_threads import DaemonThreads
from augur_sdk.storage.failures import StoreError, classify
from augur_sdk.storage.protocol import AsyncStore, ListingStore, Store

__all__ = ["ThreadedStore", "as_async"]

T = TypeVar("T")

THREADS: Final = 2
"""Threads that one store may hold: its own, so that a store that hangs starves nobody else's."""


def as_async(store: Store | AsyncStore) -> AsyncStore:
    """The asynchronous side of a store: natively asynchronous for object stores.

    A store of the user's own, synchronous, is called in worker threads and never on the loop.
    """
    return store if isinstance(store, AsyncStore) else ThreadedStore(store)


class ThreadedStore:
    """A synchronous `Store`, called in at most two threads of its own.

    A cancelled call is left to end by itself in its thread, which serves no other until then; it
    does not keep the process from ending. Failures that are neither a ValueError nor a
    FileNotFoundError come out as StoreError.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._threads = DaemonThreads(THREADS)

    def __repr__(self) -> str:
        return f"ThreadedStore({self._store!r})"

    @property
    def root_uri(self) -> str:
        """Where the bundle is, as the store says."""
        return self._store.root_uri

    async def awrite_bytes(self, relpath: str, data: bytes | Path) -> None:
        """Write bytes, or copy a local file piece by piece."""
        await self._run(self._write, relpath, data)

    async def aread_bytes(
        self, relpath: str, *, start: int = 0, length: int | None = None
    ) -> bytes:
        """The file's bytes, or a part of them."""
        return await self._run(self._read, relpath, start, length)

    async def aexists(self, relpath: str) -> bool:
        """Whether a complete file stands there."""
        return await self._run(self._store.exists, relpath)

    async def alist(self, prefix: str = "") -> AsyncIterator[str]:
        """The relpaths below a folder, where the store can list."""
        for relpath in await self._run(lambda: list(self._listing().list_files(prefix))):
            yield relpath

    async def afolders(self, prefix: str = "") -> list[str]:
        """The folders directly below a folder, where the store can list."""
        return await self._run(self._folders, prefix)

    async def aremove(self, relpath: str) -> None:
        """Remove a file, where the store can."""
        remove = getattr(self._store, "remove", None)
        if remove is None:
            raise StoreError("refused", "this store cannot remove")
        await self._run(remove, relpath)

    async def _run(self, act: Callable[..., T], *args: Any) -> T:
        def call() -> T:
            try:
                return act(*args)
            except (ValueError, FileNotFoundError):
                raise
            except BaseException as error:
                # Whatever it is, SystemExit included: it ends neither the thread nor the loop.
                raise classify(error) from error

        try:
            return await self._threads.run(call)
        except RuntimeError as error:
            raise classify(error) from error

    def _write(self, relpath: str, data: bytes | Path) -> None:
        if isinstance(data, Path):
            with data.open("rb") as source, self._store.open_write_binary(relpath) as file:
                shutil.copyfileobj(source, file, 1 << 20)
        else:
            with self._store.open_write_binary(relpath) as file:
                file.write(data)

    def _read(self, relpath: str, start: int, length: int | None) -> bytes:
        if length is not None and isinstance(self._store, ListingStore):
            return self._store.read_range(relpath, start, length)
        data = self._store.read_bytes(relpath)
        return data[start:] if length is None else data[start : start + length]

    def _listing(self) -> ListingStore:
        if not isinstance(self._store, ListingStore):
            raise StoreError("refused", "this store cannot list")
        return self._store

    def _folders(self, prefix: str) -> list[str]:
        own = getattr(self._store, "list_folders", None)
        if own is not None:
            return list(own(prefix))
        base = f"{prefix.removesuffix('/')}/" if prefix else ""
        below = (path.removeprefix(base) for path in self._listing().list_files(prefix))
        return sorted({base + path.partition("/")[0] for path in below if "/" in path})
