"""Many records in one request, for a server that announces it (contract/http.md, 6); pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import orjson

from augur_sdk.streaming.outcome import Answer

__all__ = [
    "AROUND_ITEM",
    "MEDIA_TYPE",
    "MOST_ITEMS",
    "Letter",
    "answers_in",
    "packed",
]

MEDIA_TYPE: Final = "application/vnd.augur.envelope"

MOST_ITEMS: Final = 64
"""Records in one request at most."""


AROUND_ITEM: Final = 512
"""Bytes of a request that an item takes besides its body, at most: its header line, and what is put
around an event or a picture."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One item: the request that it stands for."""

    method: str
    path: str
    media_type: str
    body: bytes
    idempotency_key: str = ""


def packed(letters: Iterable[Letter], run_id: str) -> bytes:
    """The body of a request; paths become relative to the run."""
    run = f"/runs/{quote(run_id, safe='', errors='surrogatepass')}/"
    return b"".join(part for letter in letters for part in _item(letter, run))


def _item(letter: Letter, run: str) -> tuple[bytes, ...]:
    header = {
        "method": letter.method,
        "path": letter.path.removeprefix(run),
        "length": len(letter.body),
        "type": letter.media_type,
    }
    if letter.idempotency_key:
        header["idempotency_key"] = letter.idempotency_key
    return orjson.dumps(header), b"\n", letter.body, b"\n"


def answers_in(body: bytes, count: int) -> list[Answer] | None:
    """The answer for each item, in order; None where the server's answer is none."""
    try:
        results = orjson.loads(body)["results"]
        found = [Answer(int(result["status"])) for result in results]
    except (ValueError, TypeError, LookupError):
        return None
    return found if len(found) == count else None
