"""What a place for bundles must be able to do: the documented `Store`, and its asynchronous side.

A `Store` is rooted at one bundle; every relpath is bundle-relative with forward slashes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Protocol, runtime_checkable

__all__ = ["AsyncStore", "ListingStore", "Store"]


@runtime_checkable
class Store(Protocol):
    """A place for one bundle, as documented (contract/api-reference.txt, "Storage").

    The two write contexts promise: nothing is visible before the end of the block, and nothing
    at all after an exception. `augur_sdk.testing.store_contract` holds any implementation to it.
    """

    @property
    def root_uri(self) -> str:
        """Where the bundle is, without credentials."""
        ...

    def signed_url(self, relpath: str, *, ttl_seconds: int = 3600) -> str:
        """A URL under which `relpath` can be read for `ttl_seconds` seconds without credentials."""
        ...

    def open_write_binary(self, relpath: str) -> AbstractContextManager[IO[bytes]]:
        """Write `relpath` as bytes, all or nothing."""
        ...

    def open_write_text(self, relpath: str) -> AbstractContextManager[IO[str]]:
        r"""Write `relpath` as UTF-8 with `\n` line ends, all or nothing."""
        ...

    def exists(self, relpath: str) -> bool:
        """Whether a complete file stands at `relpath`."""
        ...

    def read_text(self, relpath: str) -> str:
        """The file as UTF-8 text, line ends untouched. FileNotFoundError when it is not there."""
        ...

    def read_bytes(self, relpath: str) -> bytes:
        """The file's bytes. FileNotFoundError when it is not there."""
        ...


@runtime_checkable
class ListingStore(Store, Protocol):
    """A store that can also tell what it holds, and read a part of a file."""

    def list_files(self, prefix: str = "") -> Iterator[str]:
        """The relpaths below the folder `prefix` (whole path segments), sorted."""
        ...

    def read_range(self, relpath: str, start: int, length: int) -> bytes:
        """At most `length` bytes from offset `start`; fewer, or none, at the end of the file."""
        ...


@runtime_checkable
class AsyncStore(Protocol):
    """The asynchronous side. `as_async(store)` gives it to any `Store`."""

    @property
    def root_uri(self) -> str:
        """Where the bundle is, without credentials."""
        ...

    async def awrite_bytes(self, relpath: str, data: bytes | Path) -> None:
        """Write bytes, or the contents of a local file, all or nothing."""
        ...

    async def aread_bytes(
        self, relpath: str, *, start: int = 0, length: int | None = None
    ) -> bytes:
        """The file's bytes, or a part of them. FileNotFoundError when it is not there."""
        ...

    async def aexists(self, relpath: str) -> bool:
        """Whether a complete file stands at `relpath`."""
        ...

    def alist(self, prefix: str = "") -> AsyncIterator[str]:
        """The relpaths below the folder `prefix`. StoreError where the store cannot list."""
        ...

    async def afolders(self, prefix: str = "") -> list[str]:
        """The folders directly below `prefix`, sorted. StoreError where the store cannot list."""
        ...

    async def aremove(self, relpath: str) -> None:
        """Remove a file; no error when it is not there. StoreError where the store cannot."""
        ...
