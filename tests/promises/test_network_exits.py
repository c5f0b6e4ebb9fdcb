"""A process that ends: what it sent is sent, the rest waits on disk, and it ends in time."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from scenarios import read_json

from augur_sdk.pipeline.server_push import push_run
from augur_sdk.streaming import DSN
from augur_sdk.testing import Fault, FaultyServer
from augur_sdk.validation import validate_bundle

RUN = "run-1"
KIT = str(Path(__file__).parents[1] / "kit")
BUSY = 1.5
"""Seconds that a machine with its cores taken may add to the promised half."""


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer() as faulty:
        yield faulty


def run_agent(folder: Path, server: FaultyServer, ending: str, *, budget: float) -> float:
    """Run an agent in a process of its own; returns the seconds from its last line to its end."""
    program = f"""
        import os, sys, time
        from scenarios import event, step
        from augur_sdk import DebugSession, LocalFSStore
        # What others have written to this machine's disk is synced with it: no part of the budget.
        LocalFSStore.sync_all = lambda _: None
        session = DebugSession(run_id={RUN!r}, client_name="agent", out_dir={str(folder)!r},
                               capture_mode="full", flush_timeout={budget})
        with session:
            for index in range(5):
                session.record_event(event(index))
                session.record_step(step(index))
            session.flush()
            last = time.time()
            print(last, flush=True)
            {ending}
        print(time.time(), flush=True)
    """
    environment = {**os.environ, "PYTHONPATH": KIT, "AUGUR_DSN": server.dsn}
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)],
        check=False,
        env=environment,
        capture_output=True,
        timeout=50,
    )
    return time.time() - float(ended.stdout.split()[0])


def push(folder: Path, server: FaultyServer) -> int:
    async def main() -> int:
        return (await push_run(folder, DSN.parse(server.dsn))).pending

    return anyio.run(main)


def test_an_agent_that_exits_right_after_close_has_delivered(
    server: FaultyServer, tmp_path: Path
) -> None:
    server.script(delay=0.05, stores=True)
    run_agent(tmp_path / "b", server, "pass", budget=5.0)  # as it is unless asked otherwise
    assert server.runs[RUN].steps.keys() == set(range(5))
    assert server.runs[RUN].manifest == read_json(tmp_path / "b" / "manifest.json")
    assert not (tmp_path / "b" / "journal.jsonl").exists()


@pytest.mark.parametrize("ending", ["pass", "sys.exit(3)", "raise ValueError", "os._exit(9)"])
@pytest.mark.parametrize("fault", [{"fault": Fault.HANG}, {"status": 503}], ids=["hangs", "503"])
def test_an_exit_is_bounded_and_a_push_delivers_the_rest(
    server: FaultyServer, tmp_path: Path, ending: str, fault: dict[str, object]
) -> None:
    server.script(**fault)  # type: ignore[arg-type]  # one of two shapes, written above
    took = run_agent(tmp_path / "b", server, ending, budget=0.5)
    assert took < 0.5 + 0.5 + BUSY
    server.heal()
    assert push(tmp_path / "b", server) == 0
    assert server.runs[RUN].steps.keys() == set(range(5))
    assert len(server.runs[RUN].events) == 5
    assert server.runs[RUN].manifest == read_json(tmp_path / "b" / "manifest.json")
    assert validate_bundle(tmp_path / "b") == []
    assert not (tmp_path / "b" / "journal.jsonl").exists()


def test_a_session_that_nobody_closes_leaves_everything_to_the_journal(
    server: FaultyServer, tmp_path: Path
) -> None:
    program = f"""
        from scenarios import step
        from augur_sdk import DebugSession
        session = DebugSession(run_id={RUN!r}, client_name="agent", capture_mode="full",
                               out_dir={str(tmp_path / "b")!r}).__enter__()
        session.record_step(step(0))
        raise SystemExit
    """
    environment = {**os.environ, "PYTHONPATH": KIT, "AUGUR_DSN": server.dsn}
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        check=False,
        env=environment,
        capture_output=True,
        timeout=30,
    )
    assert b"Traceback" not in ended.stderr
    assert (tmp_path / "b" / "delivery.json").exists()
    assert push(tmp_path / "b", server) == 0
    assert server.runs[RUN].manifest == read_json(tmp_path / "b" / "manifest.json")


def test_a_lookup_that_hangs_holds_up_neither_close_nor_exit(tmp_path: Path) -> None:
    program = f"""
        import socket, time
        from scenarios import step
        from augur_sdk import DebugSession, LocalFSStore
        LocalFSStore.sync_all = lambda _: None
        real = socket.getaddrinfo
        socket.getaddrinfo = lambda *args, **more: time.sleep(30) or real(*args, **more)
        with DebugSession(run_id={RUN!r}, client_name="agent", capture_mode="full",
                          out_dir={str(tmp_path / "b")!r}, flush_timeout=0.5,
                          dsn="http://augur.example/api/v1?token=t&tenant=x") as session:
            for index in range(5):
                session.record_step(step(index))
            print(session.flush(timeout=5).queued, time.time(), flush=True)
    """
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)],
        check=True,
        env={**os.environ, "PYTHONPATH": KIT},
        capture_output=True,
        timeout=50,
    )
    queued, last = ended.stdout.split()
    assert int(queued) == 0
    assert time.time() - float(last) < 0.5 + 0.5 + BUSY
    assert (tmp_path / "b" / "manifest.json").exists()
