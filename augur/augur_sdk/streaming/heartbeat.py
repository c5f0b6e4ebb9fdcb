"""The task that tells the server a session is alive (contract/http.md)."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import anyio
import orjson

from augur_sdk.streaming.dsn import DSN
from augur_sdk.streaming.network import Host, current_network
from augur_sdk.streaming.policy import Delivered, decide
from augur_sdk.streaming.transport import Call, Transport

__all__ = ["INTERVAL", "SPREAD", "Heartbeat"]

INTERVAL: Final = 15.0
"""Seconds between beats, by contract."""

SPREAD: Final = 0.5
"""Seconds earlier or later, so that a fleet started at once does not beat at once; half of what
the contract allows, the other half is left for a slow network."""

FIRST: Final = "session_opened"


class Heartbeat:
    """Beats at once and then every 15 seconds, until it is cancelled.

    The first beat says `session_opened`; while it was not accepted, the next one says so again.
    During a pause that the server asked for no beat is sent.

    Args:
        dsn: Where to.
        describe: Gives `client_id`, `client_name`, `client_version`, `capture_mode` and, where
            known, `run_id`, as they are now.
        interval: Seconds between beats.
        rng: The source of jitter.
    """

    def __init__(
        self,
        dsn: DSN,
        describe: Callable[[], Mapping[str, Any]],
        *,
        interval: float = INTERVAL,
        rng: random.Random | None = None,
    ) -> None:
        self.sent = 0
        self.accepted = 0
        self._dsn = dsn
        self._describe = describe
        self._interval = interval
        self._rng = rng or random.Random()  # noqa: S311 - jitter is no secret

    async def run(self) -> None:
        """Beat until cancelled."""
        async with current_network().delivery(self._dsn) as (host, transport):
            due = time.monotonic()
            while True:
                await self._beat(host, transport)
                spread = SPREAD * self._interval / INTERVAL
                due += self._rng.uniform(self._interval - spread, self._interval + spread)
                await anyio.sleep(max(0.0, due - time.monotonic()))

    async def _beat(self, host: Host, transport: Transport) -> None:
        if host.hold.asked_wait(time.monotonic()):
            return
        async with current_network().sockets:
            ticket = host.hold.begin()
            try:
                outcome = await transport.exchange(Call("POST", "/heartbeat", self._body()))
            except BaseException:
                host.abandoned(ticket)
                raise
        self.sent += 1
        attempt = 1 + host.hold.streak
        decision = decide(outcome, attempt=attempt, now=datetime.now(UTC), rng=self._rng)
        self.accepted += isinstance(decision, Delivered)
        host.settled(ticket, decision)

    def _body(self) -> bytes:
        beat = {name: value for name, value in self._describe().items() if value is not None}
        if not self.accepted:
            beat["last_event"] = FIRST
        return orjson.dumps(beat)
