"""Durable step PUTs to `augur serve`, against a bare app on the same stack that answers 200.

    python benchmarks/served.py

Prints a rate each, and their ratio; each server runs in a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CONNECTIONS = 64
SECONDS = 6.0

BARE = """
import sys, uvicorn
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})
uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False, lifespan="off",
            http="httptools", loop="uvloop")
"""


def _step(index: int) -> bytes:
    step = {
        "step_id": f"s{index}",
        "step_index": index,
        "step_type": "click",
        "status": "succeeded",
        "intent": "Put the mug into the cart",
        "started_at": "2030-01-01T00:00:00.000Z",
        "action": {"type": "click", "params": {"x": 10, "y": 20}},
        "verdict": {"status": "passed", "reason": "the screen changed as expected"},
    }
    return json.dumps(step).encode()


async def _client(port: int, token: str, number: int, deadline: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    count = 0
    while time.monotonic() < deadline:
        body = _step(count)
        head = (
            f"PUT /api/v1/runs/run-{number}/steps/{count} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n"
            f"authorization: Bearer {token}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        if answer[9:11] != b"20":
            raise SystemExit(f"refused: {answer[:40]!r}")
        length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        count += 1
    writer.close()
    return count


async def _rate(port: int, token: str) -> float:
    began = time.monotonic()
    clients = (_client(port, token, n, began + SECONDS) for n in range(CONNECTIONS))
    done = await asyncio.gather(*clients)
    return sum(done) / (time.monotonic() - began)


def _bare() -> float:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", BARE, str(port)])
    try:
        while socket.socket().connect_ex(("127.0.0.1", port)):
            time.sleep(0.05)
        return asyncio.run(_rate(port, "none"))
    finally:
        process.kill()
        process.wait()


def _served() -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder, "ready.json")
        words = ["serve", "--data", f"{folder}/data", "--port", "0", "--ready-file", str(ready)]
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "augur_sdk.cli", *words],
            stdout=subprocess.DEVNULL,
            env=dict(os.environ),
        )
        try:
            while not ready.exists():
                time.sleep(0.01)
            start = time.monotonic() - began
            said = json.loads(ready.read_text())
            token = said["dsn"].partition("token=")[2].partition("&")[0]
            return asyncio.run(_rate(int(said["url"].rpartition(":")[2]), token)), start
        finally:
            process.kill()
            process.wait()


def main() -> None:
    """Measure both, and print what came out."""
    bare = _bare()
    served, start = _served()
    print(f"bare app             {bare:8.0f} PUT/s")
    print(f"augur serve, durable {served:8.0f} PUT/s, {served / bare:.2f} of it")
    print(f"ready after          {start:8.2f} s")


if __name__ == "__main__":
    main()
