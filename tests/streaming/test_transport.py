"""One exchange, against real servers that fail in real ways."""

from __future__ import annotations

import logging
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import psutil
import pytest

from augur_sdk.streaming import tls, transport
from augur_sdk.streaming.dsn import DSN
from augur_sdk.streaming.outcome import Answer, Failure, Trouble
from augur_sdk.streaming.transport import Call, Transport
from augur_sdk.testing import CaptureServer, Fault, FaultyServer

pytestmark = pytest.mark.anyio

BEAT = Call("POST", "/heartbeat", b'{"client_id":"c"}')
CANARY = "canary-7f3a9c"


async def exchange(server: CaptureServer, call: Call = BEAT) -> Answer | Failure:
    async with Transport(DSN.parse(server.dsn)) as client:
        return await client.exchange(call)


async def test_an_accepted_request_carries_the_credential(server: FaultyServer) -> None:
    answer = await exchange(server)
    assert isinstance(answer, Answer)
    assert answer.status == 201
    assert server.requests[0].headers["authorization"] == "Bearer test-token"
    assert server.heartbeats == [{"client_id": "c"}]


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        (Fault.RESET, Trouble.BROKEN),
        (Fault.RESET_MID_BODY, Trouble.BROKEN),
        (Fault.CLOSE, Trouble.BROKEN),
        (Fault.JUNK, Trouble.BROKEN),
    ],
)
async def test_a_torn_exchange_is_a_value(
    server: FaultyServer, fault: Fault, trouble: Trouble
) -> None:
    server.script(fault=fault)
    assert await exchange(server) == Failure(trouble)


async def test_a_hang_ends_with_the_read_timeout(server: FaultyServer) -> None:
    server.script(fault=Fault.HANG)
    outcome = await exchange(server, Call("POST", "/heartbeat", b"{}", read_timeout=0.1))
    assert outcome == Failure(Trouble.TIMED_OUT)


async def test_a_server_that_is_down_is_unreachable(server: FaultyServer) -> None:
    await anyio.to_thread.run_sync(server.stop_listening)
    assert await exchange(server) == Failure(Trouble.UNREACHABLE)


async def test_a_torn_refusal_is_still_a_refusal(server: FaultyServer) -> None:
    server.script(status=422, fault=Fault.RESET_MID_BODY)
    outcome = await exchange(server)
    assert outcome == Failure(Trouble.BROKEN) or getattr(outcome, "status", 0) == 422


async def test_the_token_follows_no_redirect(server: FaultyServer, other: CaptureServer) -> None:
    for status in (301, 302, 303, 307, 308):
        target = f"{other.base_url}/heartbeat"
        server.script(status=status, headers={"Location": target}, times=1)
        answer = await exchange(server)
        assert isinstance(answer, Answer)
        assert answer.status == status
    assert other.requests == []


async def test_bad_json_in_an_acceptance_does_not_matter(server: FaultyServer) -> None:
    server.script(status=200, body=b"{not json")
    answer = await exchange(server)
    assert isinstance(answer, Answer)
    assert answer.status == 200


async def test_an_endless_answer_is_cut_off(server: FaultyServer) -> None:
    server.script(status=200, body=b"x" * (3 * transport.BODY_LIMIT))
    answer = await exchange(server, Call("POST", "/heartbeat", b"{}", wants_body=True))
    assert isinstance(answer, Answer)
    assert transport.BODY_LIMIT < len(answer.body) < 2 * transport.BODY_LIMIT


async def test_headers_for_decisions_are_handed_on(server: FaultyServer) -> None:
    server.script(status=429, headers={"Retry-After": "7"})
    answer = await exchange(server)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.retry_after) == (429, "7")
    assert answer.date


async def test_a_screenshot_is_read_from_its_file_while_it_is_sent(
    server: FaultyServer, tmp_path: Path
) -> None:
    picture = os.urandom(900_000)
    file = tmp_path / "0003_pre.png"
    file.write_bytes(picture)
    call = Call("POST", "/runs/r/screenshots/3/pre", file, picture=True)
    await exchange(server, call)
    assert server.runs["r"].screenshots[3, "pre"] == picture
    sent = server.requests[0]
    assert b'name="image"; filename="shot.png"\r\nContent-Type: image/png' in sent.body
    assert int(sent.headers["content-length"]) == len(sent.body)


async def test_a_large_trace_is_streamed_from_its_file(
    server: FaultyServer, tmp_path: Path
) -> None:
    file = tmp_path / "trace.json"
    file.write_bytes(b'{"session":{},"steps":["' + b"x" * 3_000_000 + b'"]}')
    await exchange(server, Call("PUT", "/runs/r/trace", file))
    assert server.requests[0].body == file.read_bytes()
    assert server.requests[0].headers["content-type"] == "application/json"


async def test_files_are_read_by_the_given_thread(server: FaultyServer, tmp_path: Path) -> None:
    file = tmp_path / "shot.png"
    file.write_bytes(b"x" * 600_000)
    before = {thread.name for thread in threading.enumerate()}
    with ThreadPoolExecutor(1, thread_name_prefix="augur-files") as files:
        async with Transport(DSN.parse(server.dsn), executor=files) as client:
            await client.exchange(Call("POST", "/runs/r/screenshots/0/pre", file, picture=True))
            started = {thread.name for thread in threading.enumerate()} - before
    assert [name for name in started if name.startswith(("asyncio", "AnyIO"))] == []


async def test_a_file_that_is_gone_is_unreadable(server: FaultyServer, tmp_path: Path) -> None:
    call = Call("POST", "/runs/r/screenshots/0/pre", tmp_path / "gone.png", picture=True)
    assert await exchange(server, call) == Failure(Trouble.UNREADABLE)


async def test_too_many_open_files_pass_and_are_no_reason_to_give_a_record_up(
    server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(transport, "prepare", full)
    outcome = await exchange(server, Call("POST", "/heartbeat", b"{}"))
    assert outcome == Failure(Trouble.UNEXPECTED)


async def test_an_exchange_is_bounded_even_against_a_dripping_server(
    server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "EXCHANGE_LIMIT", -4.9)
    server.script(fault=Fault.HANG)
    async with Transport(DSN.parse(server.dsn)) as client:
        assert await client.exchange(BEAT) == Failure(Trouble.TIMED_OUT)
        monkeypatch.undo()
        server.heal()
        assert isinstance(await client.exchange(BEAT), Answer)


async def test_a_full_pool_is_rebuilt(
    server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "POOL_TIMEOUT", 0.1)
    server.script(fault=Fault.HANG, times=1)
    async with (
        Transport(DSN.parse(server.dsn), sockets=1) as client,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(client.exchange, BEAT)
        await anyio.to_thread.run_sync(server.wait_for, lambda: server.requests)
        assert await client.exchange(BEAT) == Failure(Trouble.BUSY)
        assert isinstance(await client.exchange(BEAT), Answer)
        tasks.cancel_scope.cancel()


async def test_the_client_is_rebuilt_after_a_fork(
    server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Transport(DSN.parse(server.dsn))
    await client.exchange(BEAT)
    parents = client._client
    monkeypatch.setattr(os, "getpid", lambda: -1)
    await client.exchange(BEAT)
    assert client._client is not parents
    await client.aclose()
    assert parents is not None
    assert not parents.is_closed
    await parents.aclose()


async def test_a_broken_proxy_setting_is_a_value(
    server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "nonsense://:::")
    monkeypatch.setenv("NO_PROXY", "")
    assert await exchange(server) == Failure(Trouble.MISCONFIGURED)


async def test_the_proxy_of_the_environment_is_used(
    other: CaptureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", other.base_url.removesuffix("/api/v1"))
    monkeypatch.setenv("NO_PROXY", "")
    dsn = DSN.parse("http://augur.invalid/api/v1?token=t")
    async with Transport(dsn) as client:
        await client.exchange(BEAT)
    assert other.requests[0].raw_path == "http://augur.invalid/api/v1/heartbeat"


async def test_the_token_is_in_no_log_and_no_repr(
    server: FaultyServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.token = CANARY
    with caplog.at_level(logging.DEBUG):
        async with Transport(DSN.parse(server.dsn)) as client:
            for fault in (None, Fault.RESET, Fault.JUNK):
                server.script(fault=fault, times=1)
                await client.exchange(BEAT)
            views = [repr(client), repr(vars(client)), repr(client._client)]
    assert CANARY not in caplog.text
    assert not [view for view in views if CANARY in view]
    assert not [r for r in server.requests if CANARY in r.raw_path]


async def test_a_request_is_no_line_in_the_hosts_log(
    server: FaultyServer, caplog: pytest.LogCaptureFixture
) -> None:
    import httpx

    with caplog.at_level(logging.INFO):
        await exchange(server)
        assert caplog.text == ""
        async with httpx.AsyncClient() as theirs:
            await theirs.get(server.base_url)
    assert "HTTP Request" in caplog.text


async def test_no_connection_is_left_open(server: FaultyServer) -> None:
    await exchange(server)
    port = urlsplit(server.base_url).port
    open_ones = psutil.Process().net_connections("tcp")
    assert [c for c in open_ones if c.status == "ESTABLISHED" and c.raddr[1:] == (port,)] == []


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A private authority, and a certificate for 127.0.0.1 that it signed."""
    folder = tmp_path_factory.mktemp("tls")
    # Python 3.13 refuses a certificate that does not name its authority's key.
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier=keyid\n")
    key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    signs = "-addext keyUsage=critical,keyCertSign"
    commands = [
        f"req -x509 {key} -days 2 -subj /CN=ca -keyout ca.key -out ca.pem {signs}",
        f"req {key} -subj /CN=leaf -keyout leaf.key -out leaf.csr",
        "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -days 2 -extfile san -out leaf.pem",
    ]
    for command in commands:
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def secure_server(certificates: Path) -> Iterator[CaptureServer]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates / "ca.pem")
    context.load_cert_chain(certificates / "leaf.pem", certificates / "leaf.key")
    with CaptureServer(tls=context) as server:
        yield server


@pytest.mark.parametrize("variable", tls.CA_VARIABLES)
async def test_a_private_authority_comes_from_the_usual_variables(
    variable: str,
    certificates: Path,
    secure_server: CaptureServer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    for name in tls.CA_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert await exchange(secure_server) == Failure(Trouble.TLS)
    monkeypatch.setenv(variable, _authority(variable, certificates, tmp_path))
    assert isinstance(await exchange(secure_server), Answer)


def _authority(variable: str, certificates: Path, folder: Path) -> str:
    if variable != "SSL_CERT_DIR":
        return str(certificates / "ca.pem")
    digest = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", certificates / "ca.pem"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    (folder / f"{digest}.0").write_bytes((certificates / "ca.pem").read_bytes())
    return str(folder)


async def test_a_client_certificate_comes_from_the_environment(
    certificates: Path, secure_server: CaptureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert secure_server.tls is not None
    secure_server.tls.verify_mode = ssl.CERT_REQUIRED
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))
    assert isinstance(await exchange(secure_server), Failure)
    monkeypatch.setenv(tls.ENV_CERT, str(certificates / "leaf.pem"))
    monkeypatch.setenv(tls.ENV_KEY, str(certificates / "leaf.key"))
    assert isinstance(await exchange(secure_server), Answer)


async def test_a_missing_client_certificate_is_a_value(
    server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(tls.ENV_CERT, "/nowhere.pem")
    dsn = DSN.parse(server.dsn.replace("http://", "https://"))
    async with Transport(dsn) as client:
        assert await client.exchange(BEAT) == Failure(Trouble.MISCONFIGURED)
