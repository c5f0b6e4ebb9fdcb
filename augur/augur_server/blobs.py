"""Pictures by content: what a thousand runs saw is stored once."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from augur_sdk.storage import LocalFSStore

__all__ = ["Blobs", "thumbnail"]


class Blobs:
    """A folder of files named by the sha256 of their bytes, and of what was made of them."""

    def __init__(self, root: Path) -> None:
        self.files: LocalFSStore = LocalFSStore(root)

    async def put(self, data: bytes) -> str:
        """Store bytes and return their sha256 in hex; on the disk only after `sync`."""
        return await asyncio.to_thread(self.put_sync, data)

    def put_sync(self, data: bytes) -> str:
        """As `put`, in a worker thread."""
        digest = hashlib.sha256(data).hexdigest()
        if not self.files.exists(_place(digest)):
            self.files.write_bytes(_place(digest), data)
        return digest

    def sync(self, digests: Iterable[str]) -> None:
        """Put files through a power cut; plain, for a worker thread."""
        self.files.sync([_place(digest) for digest in digests])

    def read(self, digest: str) -> bytes:
        """The bytes.

        Raises:
            FileNotFoundError: There are none.
        """
        return self.files.read_bytes(_place(digest))

    def remove(self, digest: str) -> None:
        """Forget bytes that nothing refers to any more, and what was made of them."""
        with suppress(FileNotFoundError):
            self.files.remove(_place(digest))

    def digests(self) -> list[str]:
        """Everything that is stored."""
        return [path.rpartition("/")[2] for path in self.files.list_files("")]


def _place(digest: str) -> str:
    return f"{digest[:2]}/{digest}"


def thumbnail(picture: bytes, width: int) -> bytes:
    """A WebP of a picture, at most `width` pixels wide.

    Raises:
        OSError: It is no picture, or one that is too large to be opened safely.
    """
    from PIL import Image

    try:
        with Image.open(BytesIO(picture)) as image:
            image.thumbnail((width, 10 * width))
            target = BytesIO()
            image.convert("RGB").save(target, "WEBP", quality=70, method=2)
            return target.getvalue()
    except (Image.DecompressionBombError, ValueError, SyntaxError) as error:
        raise OSError("the picture cannot be made smaller") from error
