"""What a server says that it has of a run, so that a push sends only what is missing.

Only to a server that announces it (contract/http.md, 7). What replaces an older version is sent in
any case, since nothing says which version the server has; what would add up is sent once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

import orjson

from augur_sdk._version import __version__
from augur_sdk.bundle import layout
from augur_sdk.streaming.capabilities import Capabilities
from augur_sdk.streaming.delivery import Item
from augur_sdk.streaming.dsn import DSN
from augur_sdk.streaming.network import current_network
from augur_sdk.streaming.outcome import Answer
from augur_sdk.streaming.routes import Wire, inventory_path
from augur_sdk.streaming.transport import Call, Transport

__all__ = ["Inventory"]

_LIMIT: Final = 64 << 20
"""Bytes of an inventory that are read: a run of some hundred thousand records."""

_BY_KEY: Final = frozenset({Wire.EVENT, Wire.LOG, Wire.REASONING, Wire.JUDGE_DECISION})
"""What a server knows by the keys of its requests only."""


class Inventory:
    """The records of one run that a server has.

    Args:
        records: Of each kind the identities, with what is known of each.
        session_id: The session that recorded the run.
        keys: What the push's own keys begin with.
        counts: How many records of each kind there are to push.
    """

    def __init__(
        self,
        records: Mapping[str, Mapping[str, Any]],
        session_id: str,
        keys: str,
        counts: Mapping[str, int],
    ) -> None:
        self._records = records
        self._keys = keys
        # A finished bundle does not know the keys of its live stream. Where the server has as many
        # of a kind from the session itself, they are these; with fewer, twice is better than never.
        own = f"{session_id}:"
        self._streamed = {
            kind
            for kind in _BY_KEY
            if keys != session_id
            and 0 < counts.get(kind, 0) <= sum(k.startswith(own) for k in records.get(kind, ()))
        }

    @classmethod
    async def ask(
        cls, dsn: DSN, run_id: str, session_id: str, keys: str, counts: Mapping[str, int]
    ) -> Self | None:
        """Ask a server; None where it announces none, or gives no answer that says something.

        What else it announces, the sender knows from then on.
        """
        async with Transport(dsn) as transport:
            greeting = {
                "client_id": f"push_{session_id}",
                "client_name": "augur push",
                "client_version": __version__,
                "capture_mode": "off",
                "run_id": run_id,
                "last_event": "push",
            }
            beat = Call("POST", "/heartbeat", orjson.dumps(greeting), wants_body=True)
            answer = await transport.exchange(beat)
            told = current_network().host(dsn).capabilities = Capabilities.announced(answer)
            if not told.inventory:
                return None
            call = Call("GET", inventory_path(run_id), wants_body=True, body_limit=_LIMIT)
            records = _object(await transport.exchange(call)).get("records")
            if not isinstance(records, dict):
                return None
            usable = all(isinstance(known, dict) for known in records.values())
            return cls(records, session_id, keys, counts) if usable else None

    def has(self, item: Item, root: Path) -> bool:
        """Whether the server has a record; reads a picture, so for a worker thread."""
        known = self._records.get(item.kind, {})
        match item.kind:
            case Wire.SCREENSHOT:
                facts = known.get(f"{item.step_index}/{item.name}")
                path = root / layout.screenshot_path(item.step_index or 0, item.name)
                return isinstance(facts, dict) and facts.get("sha256") == _digest(path)
            case Wire.MODELIO:
                return item.name.removeprefix("modelio/").removesuffix(".json") in known
        if item.kind not in _BY_KEY:
            return False
        key = f"{self._keys}:{item.seq}"
        return item.kind in self._streamed or key in known or f"{key}#0" in known


def _object(outcome: object) -> dict[str, Any]:
    if not isinstance(outcome, Answer) or not 200 <= outcome.status < 300:
        return {}
    try:
        found = orjson.loads(outcome.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
