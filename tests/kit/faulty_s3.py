"""A real S3 server behind a proxy that misbehaves on demand: import the fixtures in a conftest."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from augur_sdk.storage import Patience, S3Store

EXPIRED = b"<Error><Code>ExpiredToken</Code><Message>The token has expired.</Message></Error>"


@dataclass
class Faults:
    """What the proxy does to the coming requests, one word each; then it passes everything."""

    plan: list[str] = field(default_factory=list)
    always: str = "pass"
    requests: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def next(self, line: str) -> str:
        self.requests.append(line)
        return self.plan.pop(0) if self.plan else self.always


class Proxy(socketserver.ThreadingTCPServer):
    """One HTTP request a connection, passed on or spoiled."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, upstream: str, faults: Faults) -> None:
        where = urlsplit(upstream)
        assert where.hostname is not None
        assert where.port is not None
        self.upstream = (where.hostname, where.port)
        self.faults = faults
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Proxy)
        faults = self.server.faults
        head = self._head()
        if not head:
            return
        getattr(self, f"_{faults.next(head.split(b' HTTP')[0].decode())}")(head, faults)

    def _pass(self, head: bytes, _: Faults, limit: int | None = None) -> None:
        assert isinstance(self.server, Proxy)
        with socket.create_connection(self.server.upstream) as up:
            closing = head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
            up.sendall(closing + b"\r\n\r\n" + self._body(head))
            sent = 0
            while data := up.recv(65536):
                part = data if limit is None else data[: max(0, limit - sent)]
                self.request.sendall(part)
                sent += len(part)
                if len(part) < len(data):
                    self._reset()
                    return

    def _unavailable(self, head: bytes, _: Faults) -> None:
        self._body(head)
        self._answer(b"503 Slow Down", b"<Error><Code>SlowDown</Code></Error>")

    def _expired(self, head: bytes, _: Faults) -> None:
        self._body(head)
        self._answer(b"400 Bad Request", EXPIRED)

    def _slow(self, head: bytes, faults: Faults) -> None:
        faults.released.wait(20)
        self._pass(head, faults)

    def _cut_answer(self, head: bytes, faults: Faults) -> None:
        self._pass(head, faults, limit=1000)

    def _cut_request(self, _: bytes, __: Faults) -> None:
        self._reset()

    def _reset(self) -> None:
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.request.close()

    def _answer(self, status: bytes, body: bytes) -> None:
        self.request.sendall(
            b"HTTP/1.1 %s\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n"
            b"Connection: close\r\n\r\n%s" % (status, len(body), body)
        )

    def _head(self) -> bytes:
        self._rest = b""
        while b"\r\n\r\n" not in self._rest:
            data = self.request.recv(65536)
            if not data:
                return b""
            self._rest += data
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        return head

    def _body(self, head: bytes) -> bytes:
        lengths = [
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ]
        body = bytearray(self._rest)
        while len(body) < sum(lengths):
            body += self.request.recv(1 << 20)
        return bytes(body)


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def proxied(
    s3_endpoint: str, make_s3: Callable[..., S3Store], faults: Faults
) -> Iterator[Callable[..., S3Store]]:
    """Makes stores that reach the server through the proxy."""
    with Proxy(s3_endpoint, faults) as proxy:
        threading.Thread(target=proxy.serve_forever, args=[0.01], daemon=True).start()
        url = f"http://127.0.0.1:{proxy.server_address[1]}"

        def make(**options: Any) -> S3Store:
            known: dict[str, Any] = {
                "patience": Patience(connect_timeout=2, timeout=5, retries=3, retry_window=10)
            }
            return make_s3("runs/1", endpoint=url, **(known | options))

        yield make
        faults.released.set()
        proxy.shutdown()
