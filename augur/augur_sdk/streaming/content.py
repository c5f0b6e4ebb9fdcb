"""The bytes of a request: from memory, or read from a file while they are sent."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from augur_sdk.storage.safe_open import open_regular
from augur_sdk.streaming.multipart import Envelope

__all__ = ["Content", "FileChangedError", "prepare"]

CHUNK: Final = 256 * 1024
"""Bytes read per hop to the reading thread: most screenshots in one or two hops, and four in
flight hold a megabyte."""


class FileChangedError(OSError):
    """A file was not of the length that had been announced for it."""


@dataclass(frozen=True)
class Content:
    """A body with its length and type; iterated anew for each attempt."""

    media_type: str
    length: int
    source: bytes | Path
    executor: Executor | None = None
    head: bytes = b""
    tail: bytes = b""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if isinstance(self.source, bytes):
            yield self.head + self.source + self.tail
            return
        if self.head:
            yield self.head
        async for chunk in self._chunks(self.source):
            yield chunk
        if self.tail:
            yield self.tail

    async def _chunks(self, path: Path) -> AsyncIterator[bytes]:
        import aiofiles

        left = self.length - len(self.head) - len(self.tail)
        # Not `async with`: aiofiles leaves it on the loop's default executor, another thread.
        file = await aiofiles.open(
            path, "rb", buffering=0, opener=open_regular, executor=self.executor
        )
        try:
            while left:
                chunk = await file.read(min(CHUNK, left))
                if not chunk:
                    raise FileChangedError("the file is shorter than it was")
                left -= len(chunk)
                yield chunk
        finally:
            await file.close()


async def prepare(source: bytes | Path, *, picture: bool, executor: Executor | None) -> Content:
    """Wrap a body for sending.

    Args:
        source: The bytes, or the file that holds them.
        picture: Whether it is a picture, sent as a multipart part, or JSON.
        executor: The thread that reads files.

    Raises:
        OSError: The file is not there.
    """
    size = len(source) if isinstance(source, bytes) else await _file_size(source, executor)
    if not picture:
        return Content("application/json", size, source, executor)
    envelope = Envelope()
    head, tail = envelope.head, envelope.tail
    length = len(head) + size + len(tail)
    return Content(envelope.content_type, length, source, executor, head, tail)


async def _file_size(path: Path, executor: Executor | None) -> int:
    loop = asyncio.get_running_loop()
    return (await loop.run_in_executor(executor, os.stat, path)).st_size
