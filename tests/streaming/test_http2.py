"""Against a server that offers HTTP/2: many requests in flight over one connection."""

from __future__ import annotations

import ssl
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import httpx
import pytest
from store_servers import free_port

from augur_sdk.streaming.dsn import DSN
from augur_sdk.streaming.sender import Sender
from augur_sdk.streaming.window import MAX_SOCKETS

if TYPE_CHECKING:
    from .conftest import ListSource

pytestmark = pytest.mark.anyio
STARTS_WITHIN = 20.0
CERTIFICATE = (
    "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2"
    " -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
)
SERVER = """
    import asyncio, sys
    import hypercorn.asyncio, hypercorn.config
    peak = now = count = 0
    connections = set()

    async def app(scope, receive, send):
        global peak, now, count
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            pass
        counted = scope["method"] == "PUT"
        if counted:
            connections.add(scope["client"])
            now, count = now + 1, count + 1
            peak = max(peak, now)
            await asyncio.sleep(0.1)
            now -= 1
        said = f"{peak} {count} {len(connections)}".encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": said})

    config = hypercorn.config.Config()
    config.bind, config.certfile, config.keyfile = [sys.argv[1]], "cert.pem", "key.pem"
    asyncio.run(hypercorn.asyncio.serve(app, config))
"""


@pytest.fixture
def offering(tmp_path: Path) -> Iterator[str]:
    pytest.importorskip("hypercorn")
    pytest.importorskip("h2")
    subprocess.run(CERTIFICATE.split(), cwd=tmp_path, check=True, capture_output=True)
    where = f"127.0.0.1:{free_port()}"
    program = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(SERVER), where]
    with subprocess.Popen(program, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        try:
            asked(where, tmp_path)
            yield where
        finally:
            process.kill()


def asked(where: str, folder: Path) -> list[int]:
    """Most requests in flight, requests, and connections so far."""
    deadline = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            context = ssl.create_default_context(cafile=folder / "cert.pem")
            answer = httpx.get(f"https://{where}/", verify=context)
        except httpx.ConnectError:
            if time.monotonic() > deadline:
                raise
        else:
            return [int(number) for number in answer.text.split()]


async def test_requests_share_one_connection_and_fill_the_link(
    offering: str, tmp_path: Path, source: ListSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    dsn = DSN.parse(f"https://{offering}/api/v1?token=t&tenant=x")
    sender = Sender(source, dsn, run_id="run-1", session_id="dbg_1")
    for index in range(150):
        source.step(index)
    source.end()
    with anyio.fail_after(STARTS_WITHIN):
        await sender.run()
    peak, count, connections = await anyio.to_thread.run_sync(asked, offering, tmp_path)
    assert count == 150
    assert peak > 2 * MAX_SOCKETS
    assert connections <= MAX_SOCKETS
