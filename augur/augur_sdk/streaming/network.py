"""What everything that sends from one event loop shares: sockets, holds and credentials.

All network tasks of a process run on one loop, so this is shared by the process. It lives as
long as the loop, and a forked child, which has another loop, starts with its own.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Final

import anyio
from anyio.lowlevel import RunVar

from augur_sdk.streaming.capabilities import Capabilities
from augur_sdk.streaming.dsn import DSN
from augur_sdk.streaming.policy import Decision, Delivered, Hold, HoldTicket, Reason, Refused, Retry
from augur_sdk.streaming.transport import Transport
from augur_sdk.streaming.window import MAX_IN_FLIGHT, MAX_SOCKETS, Window, max_in_flight

__all__ = ["CREDENTIAL_STRIKES", "Host", "Network", "current_network"]

MIN_DELIVERY_SOCKETS: Final = 2
"""However many sessions wait for commands, delivery goes on."""

CREDENTIAL_STRIKES: Final = 16
"""Refusals of the credential in a row, nothing accepted between, after which no more records
are sent: by then it is the credential and not the records. Heartbeats go on and find out when
it works again; until then records stay pending, and cost no requests."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """An exchange that is under way."""

    began: float
    full: bool
    probe: HoldTicket


class Host:
    """One server and credential, as all its senders see it."""

    def __init__(self, window: Window | None = None) -> None:
        self.hold: Hold = Hold()
        self.window: Window = window or Window()
        self.users = 0
        self.transport: Transport | None = None
        self.capabilities: Capabilities = Capabilities()
        self._strikes = 0
        self._listeners: set[Callable[[], None]] = set()

    @property
    def locked_out(self) -> bool:
        """Whether the credential was refused so often that sending records is pointless."""
        return self._strikes >= CREDENTIAL_STRIKES

    def wait(self) -> float:
        """Seconds until a sender may start; infinity while only something else can change it."""
        if self.locked_out or not self.window.free:
            return float("inf")
        return self.hold.wait(time.monotonic())

    def begin(self) -> Ticket:
        """An exchange starts."""
        return Ticket(time.monotonic(), self.window.begin(), self.hold.begin())

    def settled(self, ticket: Ticket, decision: Decision) -> None:
        """Take in what came of an exchange, and wake whoever waits for the host."""
        now = time.monotonic()
        if isinstance(decision, Retry):
            self.window.failed(ticket.began, now)
            self.hold.failed(ticket.probe, decision, now)
        elif isinstance(decision, Refused) and decision.reason is Reason.UNREADABLE:
            self._forget(ticket)
        else:
            self.window.answered(ticket.began, now, full=ticket.full)
            self.hold.answered(ticket.probe, now)
            self._count_strike(decision)
        self.notify()

    def _forget(self, ticket: Ticket) -> None:
        self.window.abandoned()
        self.hold.abandoned(ticket.probe)

    def _count_strike(self, decision: Decision) -> None:
        if isinstance(decision, Delivered):
            self._strikes = 0
        elif isinstance(decision, Refused) and decision.reason is Reason.CREDENTIAL:
            self._strikes += 1

    def abandoned(self, ticket: Ticket) -> None:
        """An exchange was given up before anything came of it."""
        self._forget(ticket)
        self.notify()

    def notify(self) -> None:
        """Tell everybody who listens that something about the host has changed."""
        for listener in tuple(self._listeners):
            listener()

    @contextmanager
    def listening(self, listener: Callable[[], None]) -> Iterator[None]:
        """Call `listener` at each change for as long as the block runs."""
        self._listeners.add(listener)
        try:
            yield
        finally:
            self._listeners.discard(listener)


@dataclass
class Network:
    """The shared state of one event loop.

    Attributes:
        executor: The thread that reads files for sending; the loop's own by default.
        sockets: One token for each exchange that delivers; as many as the windows allow.
        hosts: By base URL and credential.
    """

    executor: Executor | None = None
    sockets: anyio.CapacityLimiter = field(
        default_factory=lambda: anyio.CapacityLimiter(MAX_SOCKETS)
    )
    hosts: dict[DSN, Host] = field(default_factory=dict)
    _polls: int = 0

    def host(self, dsn: DSN) -> Host:
        """The shared view of a server; made on first use."""
        host = self.hosts.get(dsn)
        if host is None:
            asked = max_in_flight()
            # Who asks for a number means it, whatever it takes in sockets.
            window = Window(asked or MAX_IN_FLIGHT, asked or MAX_SOCKETS)
            host = self.hosts[dsn] = Host(window)
            self.resize()
        return host

    @asynccontextmanager
    async def delivery(self, dsn: DSN) -> AsyncIterator[tuple[Host, Transport]]:
        """The transport that all senders to a server share, open as long as one of them is."""
        host = self.host(dsn)
        if host.transport is None:
            host.transport = Transport(dsn, executor=self.executor)
        host.users += 1
        try:
            yield host, host.transport
        finally:
            host.users -= 1
            if not host.users:
                transport, host.transport = host.transport, None
                await transport.aclose()

    @contextmanager
    def polling(self, dsn: DSN) -> Iterator[Transport]:
        """A transport of its own for a long poll, whose socket comes out of delivery's.

        With one or two polls the process still holds four sockets. Each further session with an
        operator adds one: a command must never queue behind deliveries or other polls.
        """
        self._count(1)
        try:
            yield Transport(dsn, executor=self.executor, sockets=1)
        finally:
            self._count(-1)

    def _count(self, polls: int) -> None:
        self._polls += polls
        self.resize()

    def resize(self) -> None:
        """Offer as many sockets as the windows allow now."""
        allowed = max((host.window.sockets for host in self.hosts.values()), default=MAX_SOCKETS)
        self.sockets.total_tokens = max(MIN_DELIVERY_SOCKETS, allowed - self._polls)


_current: RunVar[Network] = RunVar("augur_sdk_network")


def current_network(executor: Executor | None = None) -> Network:
    """The running loop's shared state; made on first use, with this executor."""
    try:
        return _current.get()
    except LookupError:
        network = Network(executor)
        _current.set(network)
        return network
