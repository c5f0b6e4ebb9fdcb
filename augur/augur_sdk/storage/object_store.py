"""Bundles in object stores: S3 and compatible, Google Cloud Storage, Azure, memory.

Needs the extra `object-store` (obstore), which is imported when the first store is made.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final
from urllib.parse import quote

import anyio

from augur_sdk.errors import RecordError
from augur_sdk.storage import backends
from augur_sdk.storage.backends import Patience, obstore_module, runtime
from augur_sdk.storage.failures import StoreError, mapped_read_errors, mapped_write_errors
from augur_sdk.storage.paths import checked_folder, checked_relpath

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Backend

__all__ = ["ObjectStore", "S3Store"]

PART_BYTES: Final = 8 << 20
"""The size of one part of a large upload; a file up to this size is one request."""

PARTS_AT_ONCE: Final = 4
"""Bounds the memory of one large upload to four parts."""

SPOOL_BYTES: Final = PART_BYTES
"""What an open write block keeps in memory; beyond that it spools to a temporary file."""

MAX_TTL_SECONDS: Final = 7 * 24 * 3600
"""The longest that a signed URL may live (S3's signature version 4)."""

LIST_CHUNK: Final = 1000


class ObjectStore:
    """A bundle below a prefix of an object store. Satisfies `Store`, `ListingStore`, `AsyncStore`.

    Guarantees: an object appears whole or not at all; a write block uploads when it ends and
    leaves nothing behind after an exception; a large file goes up in parts, with memory bounded
    to a few parts; requests are repeated within the bounds of `Patience`. What still fails raises
    StoreError, whose message and chain quote no URL and no credential.

    The methods of the documented protocol block; those that begin with `a` are natively
    asynchronous on asyncio. `from_uri` makes one; the constructor takes any obstore store.

    Args:
        backend: a store of obstore's.
        root_uri: what `root_uri` answers.
        prefix: the folder inside the backend that is the root.
    """

    def __init__(self, backend: Backend, root_uri: str, prefix: str = "") -> None:
        obstore_module()
        self._backend = backend
        self._root_uri = root_uri.rstrip("/") if not root_uri.endswith("://") else root_uri
        self._prefix = checked_folder(prefix.strip("/"))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._root_uri!r})"

    @classmethod
    def from_uri(cls, uri: str, *, patience: Patience | None = None, **config: Any) -> ObjectStore:
        """The store that a URI names.

        `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix` (the account from
        `AZURE_STORAGE_ACCOUNT_NAME` or `account_name=`),
        `abfss://container@account.dfs.core.windows.net/prefix`, `file:///folder`, and
        `memory://name/prefix`, which is one place in this process for each name.

        Args:
            uri: the place; it must not hold credentials.
            patience: timeouts and retries.
            **config: what obstore's store of that kind takes, such as `endpoint`, `region`.

        Raises:
            RecordError: a URI that is not of these forms.
            MissingExtraError: obstore is not installed.
        """
        from augur_sdk.storage.uris import object_store_from_uri

        return object_store_from_uri(uri, patience=patience or Patience(), config=config)

    @property
    def root_uri(self) -> str:
        """Where the bundle is, without credentials."""
        return self._root_uri

    def signed_url(self, relpath: str, *, ttl_seconds: int = 3600) -> str:
        """A URL that reads the object without credentials until `ttl_seconds` have passed.

        In memory and in a folder there is nothing to sign: a plain URL without a time limit.

        Raises:
            RecordError: a TTL that is not between one second and seven days.
            StoreError: credentials that cannot sign.
        """
        key = self._key(relpath)
        if not 1 <= ttl_seconds <= MAX_TTL_SECONDS:
            raise RecordError("ttl_seconds is out of range", expected="1 second to 7 days")
        stores = obstore_module().store
        if not isinstance(self._backend, (stores.S3Store, stores.GCSStore, stores.AzureStore)):
            return f"{self._root_uri.rstrip('/')}/{quote(relpath)}"
        with mapped_write_errors():
            url: str = self._obstore.sign(self._backend, "GET", key, timedelta(seconds=ttl_seconds))
        return url

    # -- the documented protocol

    @contextmanager
    def open_write_binary(self, relpath: str) -> Iterator[IO[bytes]]:
        """Write bytes; uploaded when the block ends without an exception."""
        key = self._key(relpath)
        with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as spool:
            yield spool
            spool.seek(0)
            self._put(key, spool)

    @contextmanager
    def open_write_text(self, relpath: str) -> Iterator[IO[str]]:
        r"""Write UTF-8 text with `\n` line ends; uploaded when the block ends."""
        with self.open_write_binary(relpath) as raw:
            text = io.TextIOWrapper(raw, encoding="utf-8", newline="\n")
            yield text
            text.flush()
            text.detach()  # the wrapper would close what is yet to be uploaded

    def exists(self, relpath: str) -> bool:
        """Whether the object is there."""
        key = self._key(relpath)
        try:
            with mapped_read_errors(relpath):
                self._obstore.head(self._backend, key)
        except FileNotFoundError:
            return False
        return True

    def read_text(self, relpath: str) -> str:
        """The object as UTF-8 text."""
        return self.read_bytes(relpath).decode("utf-8")

    def read_bytes(self, relpath: str) -> bytes:
        """The object's bytes. FileNotFoundError when it is not there."""
        key = self._key(relpath)
        with mapped_read_errors(relpath):
            return bytes(self._obstore.get(self._backend, key).bytes())

    # -- beyond it

    def write_bytes(self, relpath: str, data: bytes | Path) -> None:
        """Write bytes, or the contents of a local file."""
        key = self._key(relpath)
        if isinstance(data, Path):
            with data.open("rb") as file:
                self._put(key, file)
        else:
            self._put(key, data)

    def remove(self, relpath: str) -> None:
        """Remove an object; no error when it is not there."""
        key = self._key(relpath)
        try:
            with mapped_read_errors(relpath):
                self._obstore.delete(self._backend, key)
        except FileNotFoundError:
            return

    def read_range(self, relpath: str, start: int, length: int) -> bytes:
        """At most `length` bytes from offset `start`."""
        key = self._key(relpath)
        with mapped_read_errors(relpath):
            try:
                return bytes(
                    self._obstore.get_range(self._backend, key, start=start, length=length)
                )
            except FileNotFoundError:
                raise
            except Exception:
                if length > 0 and start < self._obstore.head(self._backend, key)["size"]:
                    raise
                return b""  # stores call a range beyond the end an error

    def list_files(self, prefix: str = "") -> Iterator[str]:
        """The relpaths below a folder, sorted."""
        folder = self._folder(prefix)
        with mapped_read_errors(prefix):
            chunks = self._obstore.list(self._backend, folder, chunk_size=LIST_CHUNK)
            found = [self._relpath(entry["path"]) for chunk in chunks for entry in chunk]
        yield from sorted(found)

    def list_folders(self, prefix: str = "") -> list[str]:
        """The folders directly below a folder, sorted."""
        with mapped_read_errors(prefix):
            return self._folders(
                self._obstore.list_with_delimiter(self._backend, self._folder(prefix))
            )

    # -- the asynchronous side

    async def awrite_bytes(self, relpath: str, data: bytes | Path) -> None:
        """Write bytes, or the contents of a local file, in parts when it is large."""
        key = self._key(relpath)
        try:
            with mapped_write_errors():
                await self._obstore.put_async(
                    self._backend, key, data, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
                )
        except StoreError as error:
            if error.reason == "missing" and isinstance(data, Path):
                await anyio.Path(data).stat()  # the local file may be what is missing
            raise

    async def acopy(self, relpath: str, target: str) -> None:
        """Copy an object within the store: its bytes travel no second time."""
        source, copy = self._key(relpath), self._key(target)
        with mapped_read_errors(relpath):
            await self._obstore.copy_async(self._backend, source, copy)

    async def aread_bytes(
        self, relpath: str, *, start: int = 0, length: int | None = None
    ) -> bytes:
        """The object's bytes, or a part of them."""
        key = self._key(relpath)
        with mapped_read_errors(relpath):
            if length is None and start == 0:
                found = await self._obstore.get_async(self._backend, key)
                return bytes(await found.bytes_async())
            return await self._apart(key, start, length)

    async def aexists(self, relpath: str) -> bool:
        """Whether the object is there."""
        key = self._key(relpath)
        try:
            with mapped_read_errors(relpath):
                await self._obstore.head_async(self._backend, key)
        except FileNotFoundError:
            return False
        return True

    async def alist(self, prefix: str = "") -> AsyncIterator[str]:
        """The relpaths below a folder, in the store's order, a page in memory at a time."""
        stream = self._obstore.list(self._backend, self._folder(prefix), chunk_size=LIST_CHUNK)
        while True:
            with mapped_read_errors(prefix):
                chunk = await anext(stream, None)
            if chunk is None:
                return
            for entry in chunk:
                yield self._relpath(entry["path"])

    async def afolders(self, prefix: str = "") -> list[str]:
        """The folders directly below a folder, sorted."""
        with mapped_read_errors(prefix):
            return self._folders(
                await self._obstore.list_with_delimiter_async(self._backend, self._folder(prefix))
            )

    async def aremove(self, relpath: str) -> None:
        """Remove an object; no error when it is not there."""
        key = self._key(relpath)
        try:
            with mapped_read_errors(relpath):
                await self._obstore.delete_async(self._backend, key)
        except FileNotFoundError:
            return

    # -- keys

    @property
    def _obstore(self) -> Any:
        return runtime()

    def _put(self, key: str, data: bytes | IO[bytes]) -> None:
        with mapped_write_errors():
            self._obstore.put(
                self._backend, key, data, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
            )

    async def _apart(self, key: str, start: int, length: int | None) -> bytes:
        size: int = (await self._obstore.head_async(self._backend, key))["size"]
        end = size if length is None else min(size, start + length)
        if start >= end:
            return b""
        part = await self._obstore.get_range_async(self._backend, key, start=start, end=end)
        return bytes(part)

    def _key(self, relpath: str) -> str:
        checked = checked_relpath(relpath)
        return f"{self._prefix}/{checked}" if self._prefix else checked

    def _folder(self, prefix: str) -> str | None:
        folder = checked_folder(prefix)
        return self._key(folder) if folder else self._prefix or None

    def _relpath(self, key: str) -> str:
        return key.removeprefix(f"{self._prefix}/") if self._prefix else key

    def _folders(self, listed: dict[str, Sequence[str]]) -> list[str]:
        return sorted(self._relpath(key.rstrip("/")) for key in listed["common_prefixes"])


class S3Store(ObjectStore):
    """A bundle in Amazon S3, or in what speaks its protocol (MinIO, R2, Ceph, ...).

    Without keys, credentials come from AWS's usual chain: environment, the shared files (with
    boto3 installed also SSO and assumed roles), web identity, container, instance.

    Args:
        bucket: the bucket's name; it must exist.
        prefix: the folder in it that becomes the bundle's root.
        region: such as `eu-central-1`; else from the environment.
        endpoint: of a compatible server, such as `http://127.0.0.1:9000`; else `AWS_ENDPOINT_URL`.
        path_style: the bucket in the path (as MinIO wants it) rather than in the host name.
        access_key_id: with `secret_access_key` and perhaps `session_token`, explicit credentials.
        secret_access_key: see above.
        session_token: see above.
        profile: a profile of the shared AWS files.
        patience: timeouts and retries.
        **config: further settings of `obstore.store.S3Store`, such as `server_side_encryption`.

    Raises:
        MissingExtraError: obstore is not installed.
        RecordError: an illegal bucket or prefix, or an unknown profile.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        region: str | None = None,
        endpoint: str | None = None,
        path_style: bool = True,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        session_token: str | None = None,
        profile: str | None = None,
        patience: Patience | None = None,
        **config: Any,
    ) -> None:
        given = {
            "region": region,
            "endpoint": endpoint,
            "virtual_hosted_style_request": None if path_style else True,
            "access_key_id": access_key_id,
            "secret_access_key": secret_access_key,
            "session_token": session_token,
            **config,
        }
        known = {key: value for key, value in given.items() if value is not None}
        with mapped_write_errors():
            backend = backends.s3(bucket, patience or Patience(), profile=profile, config=known)
        folder = prefix.strip("/")
        super().__init__(backend, f"s3://{bucket}/{folder}", folder)
