"""A real S3 server behind a proxy that misbehaves on demand."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import anyio
import pytest

from augur_sdk.storage import Patience, S3Store, StoreError
from augur_sdk.storage.failures import classify
from augur_sdk.storage.object_store import PART_BYTES

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


@pytest.mark.parametrize("fault", ["unavailable", "cut_request"])
def test_a_passing_fault_is_ridden_out(
    proxied: Callable[..., S3Store], faults: Faults, fault: str
) -> None:
    store = proxied()
    faults.plan = [fault, fault]
    store.write_bytes("trace.json", b"x" * 100_000)
    faults.plan = [fault, fault]
    assert store.read_bytes("trace.json") == b"x" * 100_000
    assert len(faults.requests) == 6


def test_an_answer_cut_in_its_body_never_passes_for_the_whole(
    proxied: Callable[..., S3Store], faults: Faults
) -> None:
    store = proxied()
    data = bytes(range(256)) * 4000
    store.write_bytes("trace.json", data)
    faults.plan = ["cut_answer"]
    assert bytes_or_reason(store) in (data, "unavailable", "timeout")


def bytes_or_reason(store: S3Store) -> bytes | str:
    try:
        return store.read_bytes("trace.json")
    except StoreError as error:
        return error.reason


def test_retries_have_a_bound(proxied: Callable[..., S3Store], faults: Faults) -> None:
    store = proxied()
    faults.always = "unavailable"
    with pytest.raises(StoreError) as caught:
        store.write_bytes("trace.json", b"1")
    assert (caught.value.reason, len(faults.requests)) == ("unavailable", 4)
    assert "503 SlowDown" in str(caught.value)


@pytest.mark.parametrize("act", ["write", "awrite", "read", "exists", "list", "block"])
def test_expired_credentials_are_told_at_once_and_leak_nothing(
    proxied: Callable[..., S3Store], faults: Faults, act: str
) -> None:
    store = proxied(session_token="canary-token")
    faults.always = "expired"
    acts: dict[str, Callable[[], object]] = {
        "write": lambda: store.write_bytes("a", b"1"),
        "awrite": lambda: anyio.run(store.awrite_bytes, "a", b"1"),
        "read": lambda: store.read_bytes("a"),
        "exists": lambda: store.exists("a"),
        "list": lambda: list(store.list_files()),
        "block": lambda: write_block(store),
    }
    with pytest.raises(StoreError) as caught:
        acts[act]()
    error = caught.value
    assert (error.reason, len(faults.requests)) == ("denied", 1) or act == "exists"
    assert error.__cause__ is None
    assert "canary" not in f"{error!r} {error}"


def write_block(store: S3Store) -> None:
    with store.open_write_binary("a") as file:
        file.write(b"1")


def test_a_server_that_hangs_is_a_timeout(proxied: Callable[..., S3Store], faults: Faults) -> None:
    store = proxied(patience=Patience(timeout=0.2, retries=0))
    faults.always = "slow"
    with pytest.raises(StoreError) as caught:
        store.read_bytes("a")
    assert caught.value.reason == "timeout"


def test_a_call_to_a_hanging_server_can_be_cancelled(
    proxied: Callable[..., S3Store], faults: Faults
) -> None:
    store = proxied()
    faults.always = "slow"

    async def main() -> float:
        begun = time.monotonic()
        with anyio.move_on_after(0.2):
            await store.awrite_bytes("a", b"1")
        return time.monotonic() - begun

    assert anyio.run(main) < 4  # the request's own limit is 5 s


def test_a_large_upload_that_fails_leaves_no_object_and_no_parts(
    proxied: Callable[..., S3Store], make_s3: Callable[..., S3Store], faults: Faults
) -> None:
    store = proxied(patience=Patience(timeout=5, retries=0))
    faults.plan = ["pass", "pass", "unavailable"]
    with pytest.raises(StoreError):
        store.write_bytes("trace.json", b"x" * (3 * PART_BYTES))
    assert not make_s3("runs/1").exists("trace.json")
    deadline = time.monotonic() + 20
    while not any(line.startswith("DELETE") and "uploadId" in line for line in faults.requests):
        assert time.monotonic() < deadline, faults.requests


def test_a_part_that_fails_once_is_sent_again(
    proxied: Callable[..., S3Store], faults: Faults
) -> None:
    store = proxied()
    faults.plan = ["pass", "cut_request", "unavailable"]
    data = bytes(range(256)) * (3 * PART_BYTES // 256)
    store.write_bytes("trace.json", data)
    assert store.read_bytes("trace.json") == data


def test_a_refused_connection_is_unavailable(make_s3: Callable[..., S3Store]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        store = make_s3(
            endpoint=f"http://127.0.0.1:{taken.getsockname()[1]}", patience=Patience(retries=0)
        )
        with pytest.raises(StoreError) as caught:
            store.exists("a")
    assert caught.value.reason == "unavailable"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Server returned non-2xx status code: 500", "unavailable"),
        ("Server returned non-2xx status code: 429", "unavailable"),
        ("status code: 403 Forbidden <Code>AccessDenied</Code>", "denied"),
        ("status code: 400 <Code>ExpiredToken</Code>", "denied"),
        ("status code: 400 <Code>InvalidArgument</Code>", "refused"),
        ("HTTP error: request timed out", "timeout"),
        ("dns error", "unavailable"),
        ("", "unavailable"),
    ],
)
def test_failures_are_told_apart(text: str, reason: str) -> None:
    assert classify(Exception(text)).reason == reason
    assert "canary" not in str(classify(Exception(f"{text} ?sig=canary")))
