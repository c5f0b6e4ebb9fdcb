"""Row 2: every other way in which a process can end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from scenarios import read_json

from augur_sdk import recover_bundle
from augur_sdk.validation import validate_bundle

KIT = Path(__file__).parents[1] / "kit"

PROLOGUE = """
import asyncio, os, signal, sys, threading, time
from scenarios import event, png, step
from augur_sdk import AsyncDebugSession, DebugSession
options = dict(run_id="run", client_name="c", out_dir=sys.argv[1], capture_mode="full")
def fill(session):
    for index in range(30):
        session.attach_observation(step_index=index, kind="pre", png_bytes=png(index))
        session.record_step(step(index))
        session.record_event(event(index))
async def fill_async(session):
    for index in range(30):
        await session.attach_observation(step_index=index, kind="pre", png_bytes=png(index))
        await session.record_step(step(index))
        await session.record_event(event(index))
"""

ENDS_BY_ITSELF = {
    "sys.exit inside with": "with DebugSession(**options) as s:\n    fill(s)\n    sys.exit(3)",
    "an exception inside with": "with DebugSession(**options) as s:\n    fill(s)\n    1 / 0",
    "no close": "s = DebugSession(**options).__enter__()\nfill(s)",
    "sys.exit without close": "s = DebugSession(**options).__enter__()\nfill(s)\nsys.exit(3)",
    "an exception without close": "s = DebugSession(**options).__enter__()\nfill(s)\n1 / 0",
    "no close, on a thread": (
        "def work():\n    s = DebugSession(**options).__enter__()\n    fill(s)\n"
        "t = threading.Thread(target=work)\nt.start()\nt.join()"
    ),
    "close in the host's own exit handler": (
        "import atexit\ns = DebugSession(**options)\n"
        "atexit.register(lambda: s.close('cancelled'))\n"
        "s.__enter__()\nfill(s)"
    ),
    "sys.exit inside async with": (
        "async def main():\n    async with AsyncDebugSession(**options) as s:\n"
        "        await fill_async(s)\n        sys.exit(3)\nasyncio.run(main())"
    ),
    "a cancelled async task": (
        "async def work(filled):\n    async with AsyncDebugSession(**options) as s:\n"
        "        await fill_async(s)\n        filled.set()\n        await asyncio.sleep(60)\n"
        "async def main():\n    filled = asyncio.Event()\n"
        "    task = asyncio.create_task(work(filled))\n    await filled.wait()\n"
        "    task.cancel()\n    await task\nasyncio.run(main())"
    ),
    "an async session nobody closed": (
        "async def main():\n    s = await AsyncDebugSession(**options).__aenter__()\n"
        "    await fill_async(s)\nasyncio.run(main())"
    ),
    "KeyboardInterrupt": (
        # A shell's background job starts with the signal ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "with DebugSession(**options) as s:\n    fill(s)\n    os.kill(os.getpid(), signal.SIGINT)\n"
        "    time.sleep(5)"
    ),
}

ENDS_AT_ONCE = {
    "os._exit": "s = DebugSession(**options).__enter__()\nfill(s)\ns.flush()\nos._exit(4)",
    "SIGTERM": (
        "s = DebugSession(**options).__enter__()\nfill(s)\ns.flush()\n"
        "os.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(5)"
    ),
    "SIGKILL": (
        "s = DebugSession(**options).__enter__()\nfill(s)\ns.flush()\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    ),
}


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(KIT), *sys.path])}
    return subprocess.run(
        [sys.executable, "-c", PROLOGUE + code, str(folder)],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        env=environment,
    )


def assert_complete(folder: Path, *statuses: str) -> None:
    assert [issue.render() for issue in validate_bundle(folder)] == []
    assert not (folder / "journal.jsonl").exists()
    trace = read_json(folder / "trace.json")
    assert [record["step_index"] for record in trace["steps"]] == list(range(30))
    assert trace["session"]["status"] in statuses
    assert len(list((folder / "events").iterdir())) == 30
    assert len(list((folder / "screenshots").glob("*.png"))) == 30


@pytest.mark.parametrize("end", ENDS_BY_ITSELF)
def test_an_interpreter_that_exits_leaves_a_complete_bundle(tmp_path: Path, end: str) -> None:
    done = run(ENDS_BY_ITSELF[end], tmp_path / "b")
    assert "Fatal" not in done.stderr, done.stderr
    assert done.stderr.count("Traceback") <= 2, done.stderr  # the host's own, and no more
    assert_complete(tmp_path / "b", "halted", "cancelled")


@pytest.mark.parametrize("end", ENDS_AT_ONCE)
def test_a_process_that_is_gone_at_once_leaves_what_recovers(tmp_path: Path, end: str) -> None:
    if not hasattr(signal, "SIGKILL") and end != "os._exit":
        pytest.skip("POSIX signals")
    run(ENDS_AT_ONCE[end], tmp_path / "b")
    assert not (tmp_path / "b/manifest.json").exists()
    report = recover_bundle(tmp_path / "b")
    assert (report.status, report.steps, report.damaged) == ("halted", 30, 0)
    assert_complete(tmp_path / "b", "halted")
    again = recover_bundle(tmp_path / "b")
    assert not again.recovered
    assert again.manifest == report.manifest


def test_exit_does_not_print_or_hang_where_nothing_was_open(tmp_path: Path) -> None:
    done = run("import augur_sdk", tmp_path / "b")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
