"""Real servers on loopback, and stores that speak to them: import the fixtures in a conftest."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx
import pytest

from augur_sdk.storage import ObjectStore, Patience, S3Store

HASTE = Patience(connect_timeout=2, timeout=10, retries=2, retry_window=5)
AZURE_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
"""The emulator's well-known key."""

_numbers = itertools.count()


@contextmanager
def server(command: list[str], port: int) -> Iterator[str]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 40
        while not _answers(port):
            assert process.poll() is None, f"{command[0]} ended"
            assert time.monotonic() < deadline, f"{command[0]} did not open its port"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """A moto server: S3 in a process of its own."""
    pytest.importorskip("moto.server", reason="moto[server] is not installed")
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with server(command, port) as url:
        yield url


@pytest.fixture
def bucket(s3_endpoint: str) -> str:
    """A bucket of the test's own."""
    name = f"bucket{next(_numbers)}"
    httpx.put(f"{s3_endpoint}/{name}").raise_for_status()
    return name


@pytest.fixture
def make_s3(s3_endpoint: str, bucket: str) -> Callable[..., S3Store]:
    """Makes S3 stores in the test's bucket."""

    def make(prefix: str = "", **options: Any) -> S3Store:
        known: dict[str, Any] = {
            "endpoint": s3_endpoint,
            "region": "us-east-1",
            "access_key_id": "key",
            "secret_access_key": "canary-secret",
            "patience": HASTE,
        }
        return S3Store(bucket, prefix, **(known | options))

    return make


@pytest.fixture
def gcs_store(s3_endpoint: str, bucket: str) -> ObjectStore:
    """The Google client against the server: both speak the same XML interface."""
    scope = "key/20260101/us-east-1/s3/aws4_request"  # tells the server which service is meant
    return ObjectStore.from_uri(
        f"gs://{bucket}/runs/1", base_url=s3_endpoint, bearer_token=scope, patience=HASTE
    )


@pytest.fixture(scope="session")
def azurite_endpoint() -> Iterator[str]:
    """The Azure emulator, from npm."""
    program = os.environ.get("AUGUR_TEST_AZURITE") or shutil.which("azurite-blob")
    if program is None or not Path(program).exists():
        pytest.skip("no azurite-blob on PATH (npm install -g azurite), nor in AUGUR_TEST_AZURITE")
    port = free_port()
    options = ["--inMemoryPersistence", "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
    command = [program, "--blobHost", "127.0.0.1", "--blobPort", str(port), *options]
    with server(command, port) as url:
        yield f"{url}/devstoreaccount1"


@pytest.fixture
def azure_store(azurite_endpoint: str) -> ObjectStore:
    """A container of the test's own."""
    container = f"container-{next(_numbers)}"
    date, version = formatdate(usegmt=True), "2021-08-06"
    resource = f"/devstoreaccount1/devstoreaccount1/{container}\nrestype:container"
    text = f"PUT{chr(10) * 12}x-ms-date:{date}\nx-ms-version:{version}\n{resource}"
    digest = hmac.new(base64.b64decode(AZURE_KEY), text.encode(), hashlib.sha256).digest()
    signature = base64.b64encode(digest).decode()
    headers = {
        "x-ms-date": date,
        "x-ms-version": version,
        "Authorization": f"SharedKey devstoreaccount1:{signature}",
    }
    url = f"{azurite_endpoint}/{container}?restype=container"
    httpx.put(url, headers=headers, content=b"").raise_for_status()
    return ObjectStore.from_uri(
        f"az://{container}/runs/1",
        account_name="devstoreaccount1",
        account_key=AZURE_KEY,
        endpoint=azurite_endpoint,
        patience=HASTE,
    )


@pytest.fixture
def s3_uri(s3_endpoint: str, bucket: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A place in a real S3 server, with credentials by the vendor's usual means."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-secret")
    return f"s3://{bucket}/runs"
