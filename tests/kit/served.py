"""A real server process on loopback, with its key and a person of each role."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from PIL import Image

__all__ = ["Served", "on", "picture", "running", "session", "start", "step", "trace"]

START = 30.0


@dataclass
class Served:
    """A server that runs, and how to reach it."""

    process: subprocess.Popen[bytes]
    data: Path
    dsn: str
    url: str
    login_url: str

    @property
    def key(self) -> str:
        return self.dsn.partition("token=")[2].partition("&")[0]

    def agent(self, key: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.key if key is None else key}"}
        return httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=30)

    def browser(self) -> httpx.Client:
        """A browser on the server's page, not logged in yet."""
        headers = {"Origin": self.url}
        return httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=30)

    def log_in(self, browser: httpx.Client) -> None:
        """Follow the link that was printed."""
        login = self.login_url.partition("#login=")[2]
        assert browser.post("/auth/login", json={"token": login}).status_code == 200

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


def start(data: Path, *options: str) -> Served:
    ready = data.parent / f"{data.name}-ready.json"
    ready.unlink(missing_ok=True)
    words = ["serve", "--data", str(data), "--port", "0", "--ready-file", str(ready), *options]
    process = subprocess.Popen(
        [sys.executable, "-m", "augur_sdk.cli", *words],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": "augur"},
    )
    deadline = time.monotonic() + START
    while not ready.exists():
        assert process.poll() is None, "the server ended before it was ready"
        assert time.monotonic() < deadline, "the server was not ready in time"
        time.sleep(0.02)
    said = json.loads(ready.read_text())
    return Served(process, data, said["dsn"], said["url"], said["login_url"])


@contextmanager
def running(data: Path, *options: str) -> Iterator[Served]:
    served = start(data, *options)
    try:
        yield served
    finally:
        served.process.kill()
        served.process.wait(10)


def on(run_id: str, rest: str = "") -> str:
    return f"/runs/{quote(run_id, safe='')}{rest}"


def session(run_id: str, **more: Any) -> dict[str, Any]:
    return {
        "schema_version": "0.1",
        "debug_session_id": "dbg_1",
        "run_id": run_id,
        "client": {"name": "shopper"},
        "capture_mode": "full",
        "started_at": "2030-01-01T00:00:00.000Z",
        "status": "running",
        **more,
    }


def trace(run_id: str, *steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"session": session(run_id, **more), "steps": list(steps)}


def step(index: int, **more: Any) -> dict[str, Any]:
    return {
        "step_id": f"s{index}",
        "step_index": index,
        "step_type": "click",
        "status": "succeeded",
        "started_at": "2030-01-01T00:00:00.000Z",
        **more,
    }


def picture(colour: str = "red") -> bytes:
    target = BytesIO()
    Image.new("RGB", (320, 200), colour).save(target, "PNG")
    return target.getvalue()
