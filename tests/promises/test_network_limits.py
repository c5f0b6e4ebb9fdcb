"""A burst against a slow server: threads, sockets and memory stay within their bounds."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from augur_sdk.testing import FaultyServer

KIT = str(Path(__file__).parents[1] / "kit")
MEBIBYTE = 1024 * 1024

BURST = """
    import sys, threading
    import orjson, psutil
    from scenarios import png, step
    from augur_sdk import DebugSession
    STEPS = int(sys.argv[2])
    me = psutil.Process()
    pictures = [png(seed, 320, 240, padding=100_000) for seed in range(32)]
    most = {"threads": 0, "sockets": 0, "memory": 0}

    def sample():
        ours = [t for t in threading.enumerate() if t is not threading.main_thread()]
        most["threads"] = max(most["threads"], len(ours))
        most["sockets"] = max(most["sockets"], len(me.net_connections(kind="tcp")))
        most["memory"] = max(most["memory"], me.memory_info().rss - base)

    def record(session, steps):
        for index in range(steps):
            for kind in ("pre", "post"):
                picture = pictures[(2 * index + (kind == "post")) % 32] + b"%d" % index
                session.attach_observation(step_index=index, kind=kind, png_bytes=picture)
            session.record_step(step(index))
            if index % 20 == 0:
                sample()

    with DebugSession(run_id="warm", client_name="a", out_dir=sys.argv[1] + "/w", dsn="",
                      capture_mode="full") as session:
        base = 0
        record(session, 5)
    base = me.memory_info().rss
    most = dict.fromkeys(most, 0)
    with DebugSession(run_id="burst", client_name="a", out_dir=sys.argv[1] + "/b",
                      capture_mode="full", flush_timeout=0.5) as session:
        session.bind_intervention(None)
        record(session, STEPS)
        session.flush()
        sample()
    stats = session.stats
    most["lost"] = stats.accepted - stats.stored
    ended = stats.delivered + stats.superseded + sum(stats.refused.values())
    most["balance"] = stats.stored - ended - stats.waiting - stats.bundle_only
    print(orjson.dumps(most).decode())
"""


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer(hold=5.0) as faulty:
        faulty.script(delay=0.2, stores=True, path="^/runs/[^/]*/(steps|screenshots)")
        yield faulty


def test_a_burst_against_a_slow_server_stays_within_its_bounds(
    server: FaultyServer, tmp_path: Path
) -> None:
    steps = os.environ.get("AUGUR_BURST_STEPS", "200")
    environment = {**os.environ, "PYTHONPATH": KIT, "AUGUR_DSN": server.dsn}
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(BURST), str(tmp_path), steps],
        check=False,
        env=environment,
        capture_output=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr.decode()
    most = orjson.loads(ended.stdout.splitlines()[-1])
    print(most)
    assert most["threads"] <= 3
    assert most["sockets"] <= 4
    assert most["memory"] <= 64 * MEBIBYTE
    assert most["lost"] == most["balance"] == 0
