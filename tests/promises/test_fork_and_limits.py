"""Rows 12 and 14: fork while threads are busy, and a system that refuses threads and files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from scenarios import read_json

from augur_sdk.validation import validate_bundle

KIT = Path(__file__).parents[1] / "kit"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="fork and rlimits are POSIX")


def run(code: str, *arguments: str, timeout: float = 55) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(KIT), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


FORKING = """
import faulthandler, os, sys, threading, time
from scenarios import event, png, step
from augur_sdk import DebugSession
folder = sys.argv[1]
options = dict(run_id="run", client_name="c", capture_mode="full")
session = DebugSession(out_dir=folder + "/parent", **options)
stop = threading.Event()
count = 0
def busy():
    global count
    while not stop.is_set():
        session.attach_observation(step_index=count, kind="pre", png_bytes=png(count))
        session.record_step(step(count))
        session.record_event(event(count))
        count += 1
        time.sleep(0.001)
with session:
    thread = threading.Thread(target=busy)
    thread.start()
    for number in range(20):
        time.sleep(0.005)
        pid = os.fork()
        if pid == 0:
            faulthandler.dump_traceback_later(40, exit=True)
            # What a child of multiprocessing does: use what it inherited, open its own, go.
            session.record_step(step(900_000 + number))
            session.add_tag("child", "was here")
            session.flush(1)
            assert session.stats.dropped["forked"] >= 2
            with DebugSession(out_dir=f"{folder}/child{number}", **options) as own:
                own.record_step(step(0))
            session.close()
            os._exit(0 if own.manifest["step_count"] == 1 else 7)
        deadline = time.monotonic() + 45
        while True:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                assert os.waitstatus_to_exitcode(status) == 0, status
                break
            if time.monotonic() > deadline:
                os.kill(pid, 9)
                raise SystemExit(f"child {number} hangs")
            time.sleep(0.002)
    stop.set()
    thread.join()
print(count)
"""


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_forked_child_neither_hangs_nor_touches_the_parents_bundle(tmp_path: Path) -> None:
    steps = int(run(FORKING, str(tmp_path), timeout=170))
    parent = tmp_path / "parent"
    assert [issue.render() for issue in validate_bundle(parent)] == []
    assert read_json(parent / "manifest.json")["step_count"] == steps
    assert "child" not in read_json(parent / "trace.json")["session"]["tags"]
    assert len(list(tmp_path.glob("child*/manifest.json"))) == 20


MULTIPROCESSING = """
import multiprocessing, sys
from scenarios import step
from augur_sdk import DebugSession
def work(folder):
    with DebugSession(run_id="w", client_name="c", out_dir=folder, capture_mode="full") as s:
        s.record_step(step(0))
    return s.manifest["step_count"]
if __name__ == "__main__":
    out = sys.argv[1]
    with DebugSession(run_id="p", client_name="c", out_dir=out + "/p", capture_mode="full") as s:
        s.record_step(step(0))
        with multiprocessing.get_context("fork").Pool(3) as pool:
            counts = pool.map(work, [f"{out}/w{n}" for n in range(9)])
        s.record_step(step(1))
    assert counts == [1] * 9
    assert s.manifest["step_count"] == 2
"""


def test_a_pool_of_forked_workers_records_beside_its_parent(tmp_path: Path) -> None:
    run(MULTIPROCESSING, str(tmp_path))
    for folder in ("p", *(f"w{n}" for n in range(9))):
        assert [issue.render() for issue in validate_bundle(tmp_path / folder)] == []


LIMITED = """
import os, resource, sys, threading, time
from scenarios import event, png, step
from augur_sdk import DebugSession
folder, threads, files = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
os.makedirs(folder, exist_ok=True)
os.chmod(folder, 0o777)
with DebugSession(run_id="r", client_name="c", out_dir=folder + "/a", capture_mode="full") as s:
    # Another user may not read where this interpreter's modules are: have them imported.
    s.attach_observation(step_index=0, kind="pre", png_bytes=png(0))
    s.record_step(step(0))
    s.record_event(event(0))
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)  # limits on processes do not bind root
resource.setrlimit(resource.RLIMIT_NPROC, (threads, threads))
resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
session = DebugSession(run_id="r", client_name="c", out_dir=folder + "/b", capture_mode="full")
with session:
    for index in range(50):
        session.attach_observation(step_index=index, kind="pre", png_bytes=png(index))
        session.record_step(step(index))
        session.record_event(event(index))
assert session.stats.dropped == {}, session.stats
"""


@pytest.mark.parametrize(("threads", "files"), [(60, 64), (0, 64), (0, 16)])
def test_a_system_that_refuses_threads_and_files_costs_the_agent_nothing(
    tmp_path: Path, threads: int, files: int
) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if str(folder) == "/tmp" or not os.access(folder, os.W_OK):  # noqa: S108 - where it ends
            break
        folder.chmod(0o755)
    run(LIMITED, str(tmp_path / "out"), str(threads), str(files))
    folder = tmp_path / "out/b"
    assert [issue.render() for issue in validate_bundle(folder)] == []
    assert read_json(folder / "manifest.json")["step_count"] == 50
