"""The sink in processes of its own: how they end, and what they take."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from augur_sdk.streaming.transport import MAX_SOCKETS
from augur_sdk.testing import Fault, FaultyServer

SLACK = 1.5
"""Seconds for a busy machine to notice that a process has ended."""

PROLOGUE = """
import sys, time
from augur_sdk.streaming import DSN, StreamingSink
sink = StreamingSink(DSN.parse(sys.argv[1]), client_name="agent", client_version=None)
sink.begin(run_id="run-1", capture_mode="trace")
"""


def child(server: FaultyServer, program: str, *args: str) -> subprocess.Popen[str]:
    code = PROLOGUE + textwrap.dedent(program)
    command = [sys.executable, "-c", code, server.dsn, *args]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_process_that_exits_right_after_end_has_delivered(server: FaultyServer) -> None:
    server.script(delay=0.05, stores=True)
    process = child(
        server,
        """
        for index in range(20):
            sink.put_step({"step_index": index, "status": "succeeded"})
        sink.end()
        """,
    )
    assert process.communicate(timeout=30) == ("", "")
    assert sorted(server.runs["run-1"].steps) == list(range(20))


def test_a_process_that_never_calls_end_still_ends(server: FaultyServer) -> None:
    process = child(server, "sink.post_logs(text='x')")
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_a_hanging_server_holds_the_exit_for_the_budget_and_no_longer(server: FaultyServer) -> None:
    server.script(fault=Fault.HANG)
    process = child(
        server,
        """
        sink._flush_timeout = 1.0
        sink.post_logs(text="x")
        print(time.monotonic(), flush=True)
        sink.end()
        """,
    )
    assert process.stdout is not None
    last_line = float(process.stdout.readline())
    process.communicate(timeout=30)
    assert time.monotonic() - last_line < 1.0 + 0.5 + SLACK


@pytest.mark.slow
def test_a_burst_stays_within_its_threads_sockets_and_memory(
    server: FaultyServer, tmp_path: Path
) -> None:
    server.script(delay=0.01, method="PUT", stores=True)
    server.script(delay=0.01, method="POST", stores=True)
    shot = tmp_path / "shot.png"
    shot.write_bytes(bytes(200_000))
    process = child(
        server,
        """
        from pathlib import Path
        picture = Path(sys.argv[2]).read_bytes()
        sink.put_step({"step_index": 0, "status": "succeeded"})
        print("base", flush=True)
        for index in range(200):
            sink.put_step({"step_index": index, "status": "succeeded"})
            sink.post_screenshot(index % 50, "pre", picture)
        sink._flush_timeout = 20.0
        sink.end()
        assert not sink.stats["pending"], sink.stats
        """,
        str(shot),
    )
    assert process.stdout is not None
    process.stdout.readline()
    watched = psutil.Process(process.pid)
    base = watched.memory_info().rss
    threads, memory = [0], [base]
    while process.poll() is None:
        try:
            threads.append(watched.num_threads())
            memory.append(watched.memory_info().rss)
        except psutil.Error:
            break
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert max(threads) - 1 <= 3
    assert server.peak_connections <= MAX_SOCKETS
    assert max(memory) - base <= 64 * 1024 * 1024
