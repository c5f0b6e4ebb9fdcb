"""A server in a process of its own: `python server.py LATENCY` prints its DSN.

Each line on standard input is answered with what has arrived so far; it ends with its input.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def serve(latency: float) -> None:
    from augur_sdk.testing import FaultyServer

    with FaultyServer() as server:
        if latency:
            server.script(delay=latency, stores=True)
        print(server.dsn, flush=True)
        for _ in sys.stdin:
            seen = {"requests": len(server.requests), "cpu": time.process_time()}
            print(json.dumps(seen), flush=True)


@contextmanager
def running(python: Path, latency: float) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The DSN of a server that lives as long as the block, and its process."""
    command = [str(python), __file__, str(latency)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.stdin.close()


def seen(process: subprocess.Popen[str]) -> dict[str, float]:
    """How many requests have arrived, and the server's CPU seconds."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    measured: dict[str, float] = json.loads(process.stdout.readline())
    return measured


if __name__ == "__main__":
    serve(float(sys.argv[1]))
