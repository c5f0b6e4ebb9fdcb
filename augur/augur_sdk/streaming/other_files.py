"""A bundle's files that no record carries, so that a server's bundle can be the same to the byte.

Best effort, behind the records: a server makes such files anew, and what is not sent in time is
sent by the next push.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from augur_sdk.storage import LocalFSStore
from augur_sdk.storage.safe_open import read_inside
from augur_sdk.streaming.dsn import DSN
from augur_sdk.streaming.envelope import AROUND_ITEM, MEDIA_TYPE, MOST_ITEMS, Letter, packed
from augur_sdk.streaming.network import current_network
from augur_sdk.streaming.outcome import Answer
from augur_sdk.streaming.routes import envelope_path, file_path
from augur_sdk.streaming.transport import Call, Transport

__all__ = ["is_other_file", "send_files"]

_OTHER: Final = re.compile(
    r"AGENT\.md|redaction_report\.json|screenshots/[^/]+\.json"
    r"|(?:replay|preferences|crops|diffs|diagnostics)/.+"
)


def is_other_file(path: str) -> bool:
    """Whether a file of a bundle travels in no record."""
    return _OTHER.fullmatch(path) is not None


async def send_files(dsn: DSN, run_id: str, root: Path) -> None:
    """Send those of a bundle's files that no record carries, where the server takes them.

    Ends at the first request that comes to nothing.

    Args:
        dsn: Where to.
        run_id: The run.
        root: The bundle's folder.
    """
    async with current_network().delivery(dsn) as (host, transport):
        if not host.capabilities.files:
            return
        loop, executor = asyncio.get_running_loop(), current_network().executor
        others = await loop.run_in_executor(executor, _others, root)
        for batch in _batches(others, many=host.capabilities.envelope_bytes > 0):
            letters = await loop.run_in_executor(executor, _letters, run_id, root, batch)
            async with current_network().sockets:
                ok = await _send(transport, run_id, letters, host.capabilities.envelope_bytes)
            if not ok:
                return


def _others(root: Path) -> list[str]:
    return [path for path in LocalFSStore(root).list_files() if is_other_file(path)]


def _batches(paths: list[str], *, many: bool) -> Iterator[list[str]]:
    size = MOST_ITEMS if many else 1
    for start in range(0, len(paths), size):
        yield paths[start : start + size]


def _letters(run_id: str, root: Path, paths: list[str]) -> list[Letter]:
    found = []
    for path in paths:
        try:
            body = read_inside(root, path)
        except OSError:
            continue  # gone, or no regular file
        target = file_path(run_id, path)
        found.append(Letter("PUT", target, "application/octet-stream", body))
    return found


async def _send(transport: Transport, run_id: str, letters: list[Letter], room: int) -> bool:
    together = sum(len(letter.body) + AROUND_ITEM for letter in letters)
    if len(letters) > 1 and together <= room:
        body = packed(letters, run_id)
        call = Call("POST", envelope_path(run_id), body, media_type=MEDIA_TYPE)
        return _is_taken(await transport.exchange(call))
    for letter in letters:
        call = Call(letter.method, letter.path, letter.body, media_type=letter.media_type)
        if not _is_taken(await transport.exchange(call)):
            return False
    return True


def _is_taken(outcome: object) -> bool:
    return isinstance(outcome, Answer) and 200 <= outcome.status < 300
