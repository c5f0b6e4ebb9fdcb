"""The task that delivers one session's records.

Shutdown: the source says that there is no more, `run` ends when everything is settled, and
`drain` gives it a budget. Past the budget, or once the server asked for more time than is left,
what is under way is cancelled and everything unsettled stays with the source. Nothing is
cancelled at any other time.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Final

import anyio
from anyio.abc import TaskGroup

from augur_sdk.streaming.delivery import DeliverySource, DeliveryStats, Item
from augur_sdk.streaming.dsn import DSN
from augur_sdk.streaming.exchange import Exchange
from augur_sdk.streaming.network import Host, Network, Ticket, current_network
from augur_sdk.streaming.outbox import Outbox, Parcel
from augur_sdk.streaming.policy import (
    Blame,
    Closed,
    Decision,
    Delivered,
    Reason,
    Refused,
    Retry,
)
from augur_sdk.streaming.routes import Wire
from augur_sdk.streaming.transport import Transport

__all__ = ["OUTBOX_LIMIT", "Sender"]

OUTBOX_LIMIT: Final = 256
"""Records handed out by the source and not settled; enough to fill any link, and a few hundred
bytes each, since bodies are fetched when they are sent."""

LAST_CALL: Final = 1.0
"""Seconds before the budget ends, from which on what the trace covers steps back."""


class Sender:
    """Delivers the records of one run, in order, until its source is exhausted.

    Args:
        source: Where the records are.
        dsn: Where they go.
        run_id: The run they belong to.
        session_id: Makes the idempotency keys unique, with the records' numbers.
        rng: The source of jitter.
    """

    def __init__(
        self,
        source: DeliverySource,
        dsn: DSN,
        *,
        run_id: str,
        session_id: str,
        rng: random.Random | None = None,
    ) -> None:
        self.stats: DeliveryStats = DeliveryStats()
        self._source = source
        self._dsn = dsn
        self._exchange = Exchange(run_id, session_id, rng or random.Random())  # noqa: S311 - jitter is no secret
        self._outbox = Outbox()
        self._closed: dict[Wire, int] = {}
        self._doubtful: list[tuple[float, list[int], Refused]] = []
        self._exhausted = False
        self._finished = anyio.Event()
        self._changed = anyio.Event()
        self._scope: anyio.CancelScope | None = None
        self._tokens: set[object] = set()
        self._trace_delivered = False
        self._wanted_by = float("inf")
        self._host: Host | None = None

    def __repr__(self) -> str:
        return f"Sender(waiting={len(self._outbox)}, flying={self._outbox.flying})"

    async def run(self) -> None:
        """Deliver until the source is exhausted and everything is settled, or `drain` gives up."""
        network = current_network()
        try:
            with anyio.CancelScope() as self._scope:
                async with network.delivery(self._dsn) as (host, transport):
                    self._host = host
                    with host.listening(self._notify):
                        await self._deliver_all(network, host, transport)
        finally:
            if self._host is not None:
                self._host.window.hurry(0, 0.0)
            self._finished.set()
            self._notify()

    async def _deliver_all(self, network: Network, host: Host, transport: Transport) -> None:
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._dispatch, network, host, transport, tasks)
                await self._feed()
        finally:
            for token in tuple(self._tokens):
                self._give_back(network, token)

    def _give_back(self, network: Network, token: object) -> None:
        if token in self._tokens:
            self._tokens.discard(token)
            network.sockets.release_on_behalf_of(token)

    async def drain(self, budget: float) -> bool:
        """Wait for `run` to end, at most `budget` seconds; then cancel it.

        Tell the source first that there will be no more. Gives up early when nothing can be
        sent within the budget: the server asked for a longer pause, or refuses the credential.

        Returns:
            Whether everything was settled.
        """
        deadline = time.monotonic() + budget
        while not self._finished.is_set() and not self._hopeless(deadline):
            with anyio.move_on_after(deadline - time.monotonic()):
                await self._changed.wait()
        if self._scope is not None:
            self._scope.cancel("the budget for delivery is used up")
        return self._exhausted and not self._outbox

    def hurry(self, deadline: float, closing: bool = False) -> None:
        """Somebody waits until `deadline` for what there is to send: fill the link for that.

        Args:
            deadline: On the monotonic clock.
            closing: Whether the trace comes soon.
        """
        self._wanted_by = deadline
        self._outbox.closing = self._outbox.closing or closing
        self._notify()

    def _fill(self, network: Network, host: Host) -> None:
        seconds = self._wanted_by - time.monotonic()
        wanted = 0 < seconds < float("inf")
        host.window.hurry(self._source.left() if wanted else 0, seconds)
        self._outbox.last_call = self._trace_delivered and seconds < LAST_CALL
        network.resize()

    def _hopeless(self, deadline: float) -> bool:
        now = time.monotonic()
        if now >= deadline:
            return True
        if self._host is None or self._outbox.flying:
            return False
        if self._host.locked_out or now + self._host.hold.asked_wait(now) > deadline:
            return True
        return not self._outbox.ready(now) and deadline < self._outbox.next_time(now) < float("inf")

    async def _feed(self) -> None:
        while True:
            while len(self._outbox) >= OUTBOX_LIMIT:
                await self._changed.wait()
            batch = await self._source.next_batch(OUTBOX_LIMIT - len(self._outbox))
            if not batch:
                break
            for item in batch:
                self._take_in(item)
            self._notify()
        self._exhausted = True
        self._notify()

    def _take_in(self, item: Item) -> None:
        if item.kind in self._closed:
            seqs = [*item.also, item.seq]
            self._refuse(seqs, Reason.CHANNEL_CLOSED, self._closed[item.kind])
        else:
            self._outbox.add(item)

    async def _dispatch(
        self, network: Network, host: Host, transport: Transport, tasks: TaskGroup
    ) -> None:
        while await self._due(host):
            self._fill(network, host)
            token = object()
            await network.sockets.acquire_on_behalf_of(token)
            self._tokens.add(token)
            # Chosen only now: while waiting for a socket a newer version may have come.
            parcels = self._chosen(host)
            if parcels:
                ticket = host.begin()
                tasks.start_soon(self._fly, parcels, ticket, token, network, host, transport)
            else:
                self._give_back(network, token)

    def _chosen(self, host: Host) -> list[Parcel]:
        """What goes next: one record, or as many as the server takes at once."""
        now = time.monotonic()
        first = self._outbox.take(now) if host.wait() <= 0 else None
        if first is None:
            return []
        return [first, *self._outbox.take_along(first, now, host.capabilities.envelope_bytes)]

    async def _fly(
        self,
        parcels: list[Parcel],
        ticket: Ticket,
        token: object,
        network: Network,
        host: Host,
        transport: Transport,
    ) -> None:
        try:
            await self._deliver(parcels, ticket, host, transport)
        finally:
            self._give_back(network, token)

    async def _due(self, host: Host) -> bool:
        """Wait until a record may go; False when there will be none."""
        while not (self._exhausted and not self._outbox):
            now = time.monotonic()
            wait = host.wait()
            if wait <= 0 and not self._outbox.ready(now):
                wait = self._outbox.next_time(now) - now
            if wait <= 0:
                return True
            changed = self._changed
            with anyio.move_on_after(wait):
                await changed.wait()
        return False

    async def _deliver(
        self, parcels: list[Parcel], ticket: Ticket, host: Host, transport: Transport
    ) -> None:
        try:
            outcomes = await self._exchange.send(parcels, host, transport)
        except BaseException:
            host.abandoned(ticket)
            raise
        host.window.multiplexed = transport.multiplexed
        self.stats.requests = self._exchange.requests
        # Backwards, so that of one lane what goes back stands in its order again.
        for parcel, decision in zip(reversed(parcels), reversed(outcomes.each), strict=True):
            self._apply(parcel, decision, ticket.began)
        host.settled(ticket, outcomes.of_host)

    def _apply(self, parcel: Parcel, decision: Decision, began: float) -> None:
        match decision:
            case Delivered():
                self._outbox.settled(parcel)
                self.stats.delivered += 1
                self.stats.superseded += len(parcel.older)
                self._source.ack(parcel.item.seq, parcel.older)
                self._trace_delivered = self._trace_delivered or parcel.kind is Wire.TRACE
                self._judge_doubtful(began)
            case Retry():
                self.stats.retries += 1
                self._outbox.failed(
                    parcel,
                    time.monotonic(),
                    decision.after,
                    unclear=decision.blame is Blame.UNCLEAR,
                    asked=decision.asked > 0,
                )
            case Refused():
                self._outbox.settled(parcel)
                if decision.reason is Reason.CREDENTIAL:
                    self._doubtful.append((time.monotonic(), parcel.covers, decision))
                self._refuse(parcel.covers, decision.reason, decision.status)
            case Closed():
                self._close_channel(parcel, decision.status)

    def _judge_doubtful(self, began: float) -> None:
        """The credential is good: what was refused before this request began was the record."""
        while self._doubtful and self._doubtful[0][0] <= began:
            _, seqs, refused = self._doubtful.pop(0)
            self._source.refuse(seqs, Reason.REJECTED, refused.status)

    def _close_channel(self, parcel: Parcel, status: int) -> None:
        self._closed[parcel.kind] = status
        self._outbox.settled(parcel)
        waiting = self._outbox.discard(parcel.kind)
        self._refuse([*parcel.covers, *waiting], Reason.CHANNEL_CLOSED, status)

    def _refuse(self, seqs: Sequence[int], reason: Reason, status: int) -> None:
        self.stats.count_refused(reason, len(seqs))
        self._source.refuse(seqs, reason, status)

    def _notify(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()
