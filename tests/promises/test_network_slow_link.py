"""Rows 26 and 28: a slow link is filled; a host that is frozen after a handler has delivered."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from augur_sdk.testing import FaultyServer

RUN = "run-1"
KIT = str(Path(__file__).parents[1] / "kit")


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer(hold=5.0) as faulty:
        yield faulty


RUN_OF_PICTURES = """
    import sys
    from scenarios import png, step
    from augur_sdk import DebugSession
    with DebugSession(run_id="run-1", client_name="a", out_dir=sys.argv[1],
                      capture_mode="full",
                      perceptual_hashes=bool(int(sys.argv[2])),
                      flush_timeout=float(sys.argv[3])) as session:
        for index in range(300):
            session.attach_observation(step_index=index, kind="pre", png_bytes=png(index))
            session.record_step(step(index))
    print(session.stats.waiting)
"""


@pytest.mark.parametrize(("delay", "hashes", "budget"), [(0.15, "0", "8"), (0.3, "1", "15")])
def test_over_a_slow_link_everything_is_delivered_within_the_budget(
    server: FaultyServer, tmp_path: Path, delay: float, hashes: str, budget: str
) -> None:
    """Four at a time would bring some 200 of the 300 pictures in that time."""
    server.script(delay=delay, stores=True)
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(RUN_OF_PICTURES), tmp_path / "b", hashes, budget],
        env={**os.environ, "PYTHONPATH": KIT, "AUGUR_DSN": server.dsn},
        check=True,
        stdout=subprocess.PIPE,
        timeout=60,
    )
    assert int(ended.stdout) == 0
    run = server.runs[RUN]
    assert len(run.screenshots) == 300
    assert len((run.trace or {})["steps"]) == 300
    assert run.manifest is not None
    assert not (tmp_path / "b" / "journal.jsonl").exists()
    assert server.peak_connections <= 33  # the last of the heartbeat's is one of them


FROZEN = """
    import sys
    from scenarios import step
    from augur_sdk import DebugSession
    session = DebugSession(run_id="run-1", client_name="a", out_dir=sys.argv[1],
                           capture_mode="full").__enter__()
    for index in range(10):
        session.record_step(step(index))
    stats = session.flush(timeout=float(sys.argv[2]), delivered=True)
    print(stats.delivered, stats.waiting, flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="the system cannot freeze a process")
@pytest.mark.parametrize("works", [True, False], ids=["server works", "server is down"])
def test_a_host_frozen_after_its_handler_has_delivered_or_said_what_is_left(
    server: FaultyServer, tmp_path: Path, works: bool
) -> None:
    if works:
        server.script(delay=0.02, stores=True)
    else:
        server.script(status=503)
    program = [sys.executable, "-c", textwrap.dedent(FROZEN), str(tmp_path / "b")]
    child = subprocess.Popen(
        [*program, "30" if works else "0.5"],
        env={**os.environ, "PYTHONPATH": KIT, "AUGUR_DSN": server.dsn},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with child:
        assert child.stdout is not None
        delivered, waiting = map(int, child.stdout.readline().split())
        child.send_signal(signal.SIGSTOP)
        try:
            kept = server.run(RUN).steps.keys()
            assert (waiting == 0) is works
            assert kept == (set(range(10)) if works else set())
            assert delivered >= len(kept)
        finally:
            child.kill()
            child.send_signal(signal.SIGCONT)
