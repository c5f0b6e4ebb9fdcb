"""A small HTTP/1.1 server on 127.0.0.1, made to misbehave on demand.

One thread a connection, standard library only. What a request means is decided by a subclass's
`respond`; this file owns the sockets: what was received, how an answer is written or torn, and
that leaving the `with` block frees every thread that still waits.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from enum import StrEnum
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

__all__ = ["Fault", "LoopbackServer", "ReceivedRequest", "Reply"]

T = TypeVar("T")

WAIT: Final = 10.0
"""Seconds that `wait_for` gives a condition; generous, because a busy machine is no failure."""

_POLL: Final = 0.02


class Fault(StrEnum):
    """A way to break an exchange instead of answering it."""

    RESET = "reset"
    """The connection is reset before a byte of the answer."""
    RESET_MID_BODY = "reset_mid_body"
    """The head and half of the body arrive, then a reset."""
    CLOSE = "close"
    """The connection is closed without an answer."""
    JUNK = "junk"
    """Bytes that are not HTTP."""
    HANG = "hang"
    """Nothing, until the server stops."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: `delay` seconds pass first, and `fault` breaks the connection instead."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    fault: Fault | None = None


@dataclass(slots=True)
class ReceivedRequest:
    """One request as it came off the wire, and what was answered (`status`, 0 for a fault).

    `path` is percent-decoded and relative to the API prefix; `raw_path` is what was sent. `at`
    is `time.monotonic()` on arrival.
    """

    method: str
    path: str
    raw_path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    at: float
    status: int = 0

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return orjson.loads(self.body)

    @property
    def segments(self) -> list[str]:
        """The path's segments below the API prefix, each percent-decoded."""
        raw = self.raw_path.partition("?")[0].removeprefix(LoopbackServer.PREFIX)
        return [unquote(part) for part in raw.strip("/").split("/")]


class LoopbackServer:
    """A server on 127.0.0.1 and a free port; use it as a context manager.

    Every request is kept in `requests`, in order of arrival. `connections` and
    `peak_connections` count sockets. All attributes may be read from any thread.
    """

    PREFIX: Final = "/api/v1"

    def __init__(
        self,
        *,
        token: str = "test-token",  # noqa: S107 - a made-up token for loopback
        tenant: str = "test",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.token = token
        self.tenant = tenant
        self.tls = tls
        self.requests: list[ReceivedRequest] = []
        self.connections: int = 0
        self.peak_connections: int = 0
        self.changed: threading.Condition = threading.Condition()
        self.stopping: threading.Event = threading.Event()
        self._http: _HTTPServer | None = None
        self._port = 0

    def __enter__(self) -> Self:
        self.listen()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stopping.set()
        with self.changed:
            self.changed.notify_all()
        self.stop_listening()

    @property
    def base_url(self) -> str:
        """The API's root."""
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://127.0.0.1:{self._port}{self.PREFIX}"

    @property
    def dsn(self) -> str:
        """What to pass as `dsn=` or in AUGUR_DSN."""
        return f"{self.base_url}?token={self.token}&tenant={self.tenant}"

    def listen(self) -> None:
        """Start to accept connections, on the same port each time."""
        self._http = _HTTPServer(("127.0.0.1", self._port), self)
        self._port = self._http.server_address[1]
        threading.Thread(
            target=self._http.serve_forever, args=(_POLL,), name="loopback-server", daemon=True
        ).start()

    def stop_listening(self) -> None:
        """Refuse new connections and drop the open ones, as a server that died would."""
        http, self._http = self._http, None
        if http is not None:
            http.shutdown()
            http.server_close()
            http.drop_connections()

    def respond(self, request: ReceivedRequest) -> Reply:
        """Decide the answer to a request."""
        raise KeyError(request.path)

    def wait_for(self, condition: Callable[[], T], timeout: float = WAIT) -> T:
        """Wait until `condition` gives something true, and return that.

        It is asked again whenever a request was answered or a connection came or went.

        Raises:
            TimeoutError: It did not within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                result = condition()
                if result:
                    return result
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"not within {timeout} s; {len(self.requests)} requests")
                self.changed.wait(min(left, 0.25))

    def received(self, method: str, ending: str = "") -> list[ReceivedRequest]:
        """The requests of one method whose path ends with `ending`."""
        with self.changed:
            kept = list(self.requests)
        return [r for r in kept if r.method == method and r.path.endswith(ending)]

    def answer(self, request: ReceivedRequest) -> Reply:
        """Keep a request and decide its answer; called on a connection's own thread."""
        with self.changed:
            self.requests.append(request)
        reply = self.respond(request)
        if reply.delay:
            self.stopping.wait(reply.delay)
        request.status = 0 if reply.fault else reply.status
        return reply

    def settle(self, connections: int = 0) -> None:
        """Count connections that came or went, and wake whoever waits for a condition."""
        with self.changed:
            self.connections += connections
            self.peak_connections = max(self.peak_connections, self.connections)
            self.changed.notify_all()


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], owner: LoopbackServer) -> None:
        self.owner = owner
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # The base class resolves the host's name here, which no test needs.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        self.owner.settle(connections=1)
        super().process_request(request, client_address)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self.owner.tls is None:
            return connection, address
        # The handshake waits for the client, so it is left to the connection's own thread.
        secured = self.owner.tls.wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False
        )
        return secured, address

    def shutdown_request(self, request: Any) -> None:
        if request in self._open:
            self._open.discard(request)
            self.owner.settle(connections=-1)
        super().shutdown_request(request)

    def drop_connections(self) -> None:
        for connection in list(self._open):
            _quietly(connection.shutdown, socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: torn connections are what these servers are for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _HTTPServer  # pyright: ignore[reportIncompatibleVariableOverride] - made by it alone

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        owner = self.server.owner
        reply = owner.answer(self._read())
        self._write(reply)
        owner.settle()

    def _read(self) -> ReceivedRequest:
        parts = urlsplit(self.path)
        return ReceivedRequest(
            method=self.command,
            path=unquote(parts.path).removeprefix(LoopbackServer.PREFIX),
            raw_path=self.path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self._read_body(),
            at=time.monotonic(),
        )

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(iter(self._read_chunk, b""))
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionError("the client went away in the middle of a body")
        return body

    def _read_chunk(self) -> bytes:
        size = int(self.rfile.readline().split(b";")[0], 16)
        chunk = self.rfile.read(size)
        self.rfile.readline()
        return chunk

    def _write(self, reply: Reply) -> None:
        head = self._head(reply)
        match reply.fault:
            case None:
                self.wfile.write(head + reply.body)
                return
            case Fault.HANG:
                self.server.owner.stopping.wait()
            case Fault.RESET:
                self._reset()
            case Fault.RESET_MID_BODY:
                self.wfile.write(head + reply.body[: len(reply.body) // 2])
                self._reset()
            case Fault.JUNK:
                self.wfile.write(b"\x00\x01 this is not HTTP\r\n\r\n")
            case Fault.CLOSE:
                pass
        self.close_connection = True

    def _head(self, reply: Reply) -> bytes:
        try:
            phrase = HTTPStatus(reply.status).phrase
        except ValueError:
            phrase = "Unknown"
        headers = {
            "Date": formatdate(usegmt=True),
            "Content-Type": "application/json",
            "Content-Length": str(len(reply.body)),
            **reply.headers,
        }
        lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{k}: {v}" for k, v in headers.items())]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"

    def _reset(self) -> None:
        # A zero linger makes close() send RST instead of FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        _quietly(self.connection.shutdown, socket.SHUT_RD)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Say nothing: what was received is in `requests`."""


def _quietly(call: Callable[..., object], *args: object) -> None:
    try:
        call(*args)
    except OSError:
        return
