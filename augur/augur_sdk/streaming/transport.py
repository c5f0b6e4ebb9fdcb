"""One exchange with the server: whatever goes wrong comes back as a value.

The client is built on first use and in the reading thread: importing httpx and loading
certificates take longer than a loop should be held. It is built anew after a pool timeout
(a cancelled exchange can leak its slot for good) and after a fork (the sockets are the parent's).
No redirect is followed: the token belongs to one host.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import ssl
import time
from concurrent.futures import Executor
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import anyio

from augur_sdk._version import __version__
from augur_sdk.streaming import tls
from augur_sdk.streaming.content import Content, FileChangedError, prepare
from augur_sdk.streaming.dsn import DSN
from augur_sdk.streaming.outcome import Answer, Failure, Outcome, Trouble
from augur_sdk.streaming.window import MAX_SOCKETS

if TYPE_CHECKING:
    import httpx

__all__ = ["MAX_SOCKETS", "READ_TIMEOUT", "Call", "Transport"]

logger: logging.Logger = logging.getLogger("augur_sdk")

IDLE_LIMIT: Final = 5.0
"""Seconds that an unused socket is kept; bursts are closer together than that."""

CONNECT_TIMEOUT: Final = 3.0
"""Seconds; a host that takes longer is as good as down, and is tried again."""

READ_TIMEOUT: Final = 5.0
"""Seconds of silence after the request; with the longest backoff still within the 10 s in which
delivery catches up when a hanging server recovers."""

READ_TIMEOUT_PER_MEBIBYTE: Final = 2.0
"""Seconds on top for the server to digest a large body."""

WRITE_TIMEOUT: Final = 10.0
"""Seconds for one chunk; a slow uplink still moves a chunk in that time."""

POOL_TIMEOUT: Final = 10.0
"""Seconds; senders are limited before they come here, so a full pool means leaked slots."""

EXCHANGE_LIMIT: Final = 60.0
"""Seconds for a whole exchange, in case a server answers byte by byte; grows with the body."""

EXCHANGE_LIMIT_PER_MEBIBYTE: Final = 8.0
"""Seconds on top; an uplink of one megabit a second."""

CLOSE_LIMIT: Final = 0.2
"""Seconds to say goodbye to the server; its part of the half second in which close() ends all."""

BODY_LIMIT: Final = 1024 * 1024
"""Bytes of an answer that are read; no answer in the contract comes near."""

_MEBIBYTE: Final = 1024 * 1024
_ours: ContextVar[bool] = ContextVar("augur_sdk_exchange", default=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A request: path relative to the base URL, percent-encoded, and what it carries.

    `read_timeout` is how long to wait for the answer, where it is not the usual time.
    """

    method: str
    path: str
    body: bytes | Path | None = None
    picture: bool = False
    idempotency_key: str = ""
    read_timeout: float | None = None
    wants_body: bool = False
    media_type: str = "application/json"
    body_limit: int = BODY_LIMIT


class Transport:
    """The connection to one server, used from one event loop.

    Args:
        dsn: Where to, and the credential.
        executor: The thread that reads files and builds the client; the loop's own by default.
        sockets: The most that it keeps open; those who use it see to it that there are no more
            at any time, but for one that must not share (a poll).
    """

    def __init__(
        self, dsn: DSN, *, executor: Executor | None = None, sockets: int = MAX_SOCKETS
    ) -> None:
        self._dsn = dsn
        self.executor = executor
        self._sockets = sockets
        self._client: httpx.AsyncClient | None = None
        self._retired: list[httpx.AsyncClient] = []
        self._building = anyio.Lock()
        self._pid = os.getpid()
        self.multiplexed: bool = False

    def __repr__(self) -> str:
        return f"Transport({self._dsn.base_url!r}, open={self._client is not None})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def exchange(self, call: Call) -> Outcome:
        """Send a request and return what came of it; raises nothing but cancellation."""
        mark = _ours.set(True)
        try:
            return await self._attempt(call)
        finally:
            _ours.reset(mark)

    async def _attempt(self, call: Call) -> Outcome:
        try:
            client = await self._ready_client()
        except Exception as error:  # noqa: BLE001 - certificates and proxy settings fail in many ways
            logger.debug("no HTTP client: %s", type(error).__name__)
            return Failure(Trouble.MISCONFIGURED)
        try:
            return await self._bounded(client, call, await self._content(call))
        except Exception as error:  # noqa: BLE001 - an outcome is a value; the sender must go on
            return Failure(self._trouble(error, client))

    async def _content(self, call: Call) -> Content | None:
        if call.body is None:
            return None
        content = await prepare(call.body, picture=call.picture, executor=self.executor)
        return content if call.picture else replace(content, media_type=call.media_type)

    async def _bounded(
        self, client: httpx.AsyncClient, call: Call, content: Content | None
    ) -> Outcome:
        mebibytes = content.length / _MEBIBYTE if content else 0.0
        patience = READ_TIMEOUT if call.read_timeout is None else call.read_timeout
        with anyio.move_on_after(
            EXCHANGE_LIMIT + EXCHANGE_LIMIT_PER_MEBIBYTE * mebibytes + patience
        ):
            read = patience + READ_TIMEOUT_PER_MEBIBYTE * mebibytes
            request = self._request(client, call, content, read)
            most = call.body_limit if call.wants_body else 0
            answer, version = await _roundtrip(client, request, most=most)
            self.multiplexed = version == "HTTP/2"
            return answer
        self._retire(client)
        return Failure(Trouble.TIMED_OUT)

    def _request(
        self, client: httpx.AsyncClient, call: Call, content: Content | None, read: float
    ) -> httpx.Request:
        headers = {"Idempotency-Key": call.idempotency_key} if call.idempotency_key else {}
        if content is not None:
            headers |= {"Content-Type": content.media_type, "Content-Length": str(content.length)}
        return client.build_request(
            call.method,
            self._dsn.base_url + call.path,
            content=content,
            headers=headers,
            timeout=_timeouts(read),
        )

    async def _ready_client(self) -> httpx.AsyncClient:
        async with self._building:
            if self._pid != os.getpid():
                self._pid = os.getpid()
                _inherited.append(self._client)
                self._client = None
            client = self._client
            if client is None:
                loop = asyncio.get_running_loop()
                client = await loop.run_in_executor(self.executor, self._build)
                self._client = client
            return client

    def _build(self) -> httpx.AsyncClient:
        import httpx

        _silence_request_log()
        return httpx.AsyncClient(
            headers={
                "Authorization": f"Bearer {self._dsn.token}",
                "User-Agent": f"augur-sdk/{__version__}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
            },
            verify=tls.client_context() if self._needs_tls() else False,
            limits=httpx.Limits(
                max_connections=self._sockets if self._sockets == 1 else None,
                max_keepalive_connections=self._sockets,
                keepalive_expiry=IDLE_LIMIT,
            ),
            follow_redirects=False,
            http2=importlib.util.find_spec("h2") is not None,
        )

    def _needs_tls(self) -> bool:
        import urllib.request

        proxies = urllib.request.getproxies().values()
        return any(url.startswith("https") for url in (self._dsn.base_url, *proxies))

    def _trouble(self, error: Exception, client: httpx.AsyncClient) -> Trouble:
        trouble = _classify(error)
        if trouble is Trouble.BUSY:
            self._retire(client)
        if trouble is Trouble.UNEXPECTED:
            # The type only: a message could quote a header, and with it the token.
            logger.debug("unexpected trouble while sending: %s", type(error).__name__)
        return trouble

    def _retire(self, client: httpx.AsyncClient) -> None:
        """Build a new client next time; exchanges under way on the old one may end on it."""
        if self._client is client:
            self._client = None
            self._retired.append(client)

    async def aclose(self) -> None:
        """Close every connection, within a bound."""
        clients = [*self._retired, self._client]
        self._retired, self._client = [], None
        if self._pid != os.getpid():
            _inherited.extend(clients)
            return
        with anyio.move_on_after(CLOSE_LIMIT, shield=True):
            for client in clients:
                if client is not None:
                    await client.aclose()


_GONE: Final = (
    FileChangedError,
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
)
"""What opening a file fails with for good. Others, such as too many open files, pass."""

_inherited: list[Any] = []
"""A parent's clients, in a forked child: kept, because collecting one would touch its sockets."""


def _timeouts(read: float) -> httpx.Timeout:
    import httpx

    return httpx.Timeout(connect=CONNECT_TIMEOUT, read=read, write=WRITE_TIMEOUT, pool=POOL_TIMEOUT)


async def _roundtrip(
    client: httpx.AsyncClient, request: httpx.Request, *, most: int
) -> tuple[Answer, str]:
    response = await client.send(request, stream=True)
    try:
        body = await _read(response, most=most)
    finally:
        await response.aclose()
    answer = Answer(
        status=response.status_code,
        retry_after=response.headers.get("retry-after", ""),
        date=response.headers.get("date", ""),
        body=body,
    )
    return answer, response.http_version


async def _read(response: httpx.Response, *, most: int) -> bytes:
    """Read an answer to its end, so that the connection can be used again, within a bound.

    Gives at most `most` bytes of it back; 0 for none.

    Of a refusal the status says it all, so a torn body is no trouble there.
    """
    import httpx

    body = bytearray()
    started = time.monotonic()
    try:
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > max(most, BODY_LIMIT) or time.monotonic() - started > EXCHANGE_LIMIT / 2:
                break
    except httpx.HTTPError:
        if response.is_success:
            raise
    return bytes(body) if most else b""


def _classify(error: Exception) -> Trouble:
    import httpx

    if isinstance(error, _GONE):
        return Trouble.UNREADABLE
    if _caused_by_tls(error):
        return Trouble.TLS
    table: tuple[tuple[type[Exception], Trouble], ...] = (
        (httpx.PoolTimeout, Trouble.BUSY),
        (httpx.TimeoutException, Trouble.TIMED_OUT),
        (httpx.ProxyError, Trouble.PROXY),
        (httpx.ConnectError, Trouble.UNREACHABLE),
        (httpx.UnsupportedProtocol, Trouble.MISCONFIGURED),
        (httpx.TransportError, Trouble.BROKEN),
        (httpx.StreamError, Trouble.BROKEN),
    )
    return next((trouble for kind, trouble in table if isinstance(error, kind)), Trouble.UNEXPECTED)


def _caused_by_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


class _NotOurs(logging.Filter):
    """Drops httpx's line a request where the request is ours: one a record would flood a log."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - the context decides
        return not _ours.get()


_not_ours = _NotOurs()


def _silence_request_log() -> None:
    # Adding the same filter twice is a no-op.
    logging.getLogger("httpx").addFilter(_not_ours)
