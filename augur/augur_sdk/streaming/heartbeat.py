"""The task that tells the server a session is alive (contract/http.md).

Shutdown: `stop` lets a beat that is under way end, because the first one of a short session
is still on its way when the session closes, and cancels it after `STOP_GRACE`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import anyio
import orjson

from augur_sdk.streaming.capabilities import Capabilities
from augur_sdk.streaming.dsn import DSN
from augur_sdk.streaming.network import Host, current_network
from augur_sdk.streaming.policy import Delivered, Retry, decide
from augur_sdk.streaming.transport import Call, Transport

__all__ = ["INTERVAL", "SPREAD", "Heartbeat"]

INTERVAL: Final = 15.0
"""Seconds between beats, by contract."""

SPREAD: Final = 0.5
"""Seconds earlier or later, so that a fleet started at once does not beat at once; half of what
the contract allows, the other half is left for a slow network."""

STOP_GRACE: Final = 0.3
"""Seconds; with what closing the connection takes it stays within the half second after close."""

FIRST: Final = "session_opened"


class Heartbeat:
    """Beats at once and then every 15 seconds, until it is stopped or cancelled.

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
        self.sent: int = 0
        self.accepted: int = 0
        self._dsn = dsn
        self._describe = describe
        self._interval = interval
        self._rng = rng or random.Random()  # noqa: S311 - jitter is no secret
        self._stopping = anyio.Event()
        self._finished = anyio.Event()
        self._scope: anyio.CancelScope | None = None
        self._quiet_until = float("-inf")

    async def run(self) -> None:
        """Beat until stopped or cancelled."""
        try:
            with anyio.CancelScope() as self._scope:
                async with current_network().delivery(self._dsn) as (host, transport):
                    await self._beat_until_stopped(host, transport)
        finally:
            self._finished.set()

    async def stop(self) -> None:
        """End after the beat under way, within `STOP_GRACE` seconds."""
        self._stopping.set()
        with anyio.move_on_after(STOP_GRACE):
            await self._finished.wait()
        if self._scope is not None:
            self._scope.cancel("the session is closed")

    async def _beat_until_stopped(self, host: Host, transport: Transport) -> None:
        due = time.monotonic()
        spread = SPREAD * self._interval / INTERVAL
        while True:
            await self._beat(host, transport)
            due += self._rng.uniform(self._interval - spread, self._interval + spread)
            with anyio.move_on_after(max(0.0, due - time.monotonic())):
                await self._stopping.wait()
                return

    async def _beat(self, host: Host, transport: Transport) -> None:
        now = time.monotonic()
        if host.hold.asked_wait(now) or now < self._quiet_until:
            return
        async with current_network().sockets:
            ticket = host.begin()
            try:
                call = Call("POST", "/heartbeat", self._body(), wants_body=True)
                outcome = await transport.exchange(call)
            except BaseException:
                host.abandoned(ticket)
                raise
        self.sent += 1
        attempt = 1 + host.hold.streak
        decision = decide(outcome, attempt=attempt, now=datetime.now(UTC), rng=self._rng)
        if isinstance(decision, Delivered):
            self.accepted += 1
            host.capabilities = Capabilities.announced(outcome)
        if isinstance(decision, Retry) and decision.asked:
            self._quiet_until = time.monotonic() + decision.after
        host.settled(ticket, decision)

    def _body(self) -> bytes:
        described = self._describe()
        beat = {name: value for name, value in described.items() if value is not None}
        beat.setdefault("client_version", None)
        if not self.accepted:
            beat["last_event"] = FIRST
        return orjson.dumps(beat)
