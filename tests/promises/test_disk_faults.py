"""Rows 4 and 16: disk full, read-only, gone, healed again; and the agent's own exception."""

from __future__ import annotations

import errno
import functools
import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from scenarios import event, png, read_json, step

from augur_sdk import DebugSession
from augur_sdk.bundle import journal as journal_module
from augur_sdk.storage import LocalFSStore
from augur_sdk.validation import validate_bundle

KIT = Path(__file__).parents[1] / "kit"


class FailingDisk:
    """Every write of the package's goes through here; some of them fail."""

    def __init__(self) -> None:
        self.calls = 0
        self.fails: Callable[[int], bool] = lambda _: False
        self.errno = errno.ENOSPC
        self._lock = threading.Lock()

    def touch(self) -> None:
        with self._lock:
            self.calls += 1
            number = self.calls
        if self.fails(number):
            raise OSError(self.errno, os.strerror(self.errno))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> FailingDisk:
    disk = FailingDisk()
    for owner, names in (
        (
            LocalFSStore,
            (
                "write_bytes",
                "create_bytes",
                "append_bytes",
                "link",
                "open_write_binary",
                "sync_all",
            ),
        ),
        (journal_module.JournalFile, ("append", "read", "sync", "open")),
    ):
        for name in names:
            wrap(monkeypatch, owner, name, disk)
    from augur_sdk.pipeline.appending import AsyncJournal

    original = AsyncJournal.append

    async def append(self: AsyncJournal, lines: bytes) -> int:
        disk.touch()
        return await original(self, lines)

    monkeypatch.setattr(AsyncJournal, "append", append)
    return disk


def wrap(patch: pytest.MonkeyPatch, owner: Any, name: str, disk: FailingDisk) -> None:
    original = getattr(owner, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        disk.touch()
        return original(self, *args, **kwargs)

    patch.setattr(owner, name, method)


def session(folder: Path) -> DebugSession:
    return DebugSession(run_id="r", client_name="c", out_dir=folder, capture_mode="full")


def record(s: DebugSession, steps: int = 6) -> None:
    for index in range(steps):
        s.attach_observation(step_index=index, kind="pre", png_bytes=png(index))
        s.record_step(step(index))
        s.record_event(event(index))
        s.record_event(event(None, str(index)))


def assert_counted(s: DebugSession) -> None:
    stats = s.stats
    assert stats.accepted == stats.stored + stats.queued + sum(stats.dropped.values())
    assert stats.stored == stats.delivered + stats.pending


def assert_complete(folder: Path, steps: int = 6) -> None:
    assert [issue.render() for issue in validate_bundle(folder)] == []
    assert read_json(folder / "manifest.json")["step_count"] == steps
    assert not (folder / "journal.jsonl").exists()


def calls_of_a_healthy_run(folder: Path, disk: FailingDisk) -> int:
    with session(folder) as s:
        record(s)
    assert_complete(folder)
    return disk.calls


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_one_failing_call_anywhere_loses_nothing(tmp_path: Path, disk: FailingDisk) -> None:
    calls = calls_of_a_healthy_run(tmp_path / "healthy", disk)
    assert calls > 40
    for number in range(1, calls + 1):
        disk.calls = 0
        disk.fails = functools.partial(int.__eq__, number)
        folder = tmp_path / str(number)
        with session(folder) as s:
            record(s)
        assert_complete(folder)
        assert s.stats.dropped == {}
        assert_counted(s)
        shutil.rmtree(folder)


@pytest.mark.parametrize("code", ["ENOSPC", "EIO", "EROFS", "EMFILE"])
def test_a_disk_that_heals_during_the_run_loses_nothing(
    tmp_path: Path, disk: FailingDisk, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    disk.errno = getattr(errno, code)
    with session(tmp_path / "b") as s:
        record(s, 3)
        s.flush()
        disk.fails = lambda _: True
        record(s, 6)
        stats = s.flush(timeout=0.2)
        assert stats.queued > 0
        assert_counted(s)
        disk.fails = lambda _: False
        assert s.flush(timeout=10).queued == 0
    assert_complete(tmp_path / "b")
    assert_counted(s)
    assert caplog.text.count("cannot be written") == 1
    assert caplog.text.count("is written again") == 1


def test_a_disk_that_is_full_to_the_end_holds_up_nobody_and_close_can_be_repeated(
    tmp_path: Path, disk: FailingDisk
) -> None:
    s = session(tmp_path / "b")
    with s:
        record(s, 2)
        s.flush()
        disk.fails = lambda _: True
        record(s)
    assert s.manifest is not None
    assert not (tmp_path / "b/manifest.json").exists()
    assert_counted(s)
    disk.fails = lambda _: False
    s.close()
    assert_complete(tmp_path / "b")
    assert s.stats.dropped == {}


def test_what_does_not_fit_while_the_disk_fails_is_dropped_and_counted(
    tmp_path: Path, disk: FailingDisk
) -> None:
    picture = png(0, padding=4_000_000)
    with session(tmp_path / "b") as s:
        s.flush()
        disk.fails = lambda _: True
        for index in range(12):
            s.attach_observation(step_index=index, kind="pre", png_bytes=picture + bytes([index]))
            s.record_step(step(index))
        assert_counted(s)
        assert s.stats.dropped.get("disk_full", 0) > 0
        disk.fails = lambda _: False
        s.flush(timeout=10)
        s.record_step(step(50))
    assert_counted(s)
    assert read_json(tmp_path / "b/trace.json")["steps"][-1]["step_index"] == 50


def test_a_folder_that_is_removed_in_mid_run_is_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    with session(folder) as s:
        record(s, 4)
        s.flush()
        take_away(folder)
        for index in range(4, 8):
            s.record_step(step(index))
            s.flush()
    assert s.manifest is not None
    assert read_json(folder / "manifest.json")["step_count"] == 8
    assert len(list((folder / "events").iterdir())) == 5
    assert s.stats.dropped == {"folder_gone": 4}  # the pictures, which only the folder held
    assert read_json(folder / "manifest.json")["missing"] == [
        f"screenshots/{index:04d}_pre.png" for index in range(4)
    ]
    assert_counted(s)


def take_away(folder: Path) -> None:
    """Remove a folder in one step, whatever is being written into it."""
    folder.rename(folder.with_name("gone"))
    shutil.rmtree(folder.with_name("gone"), ignore_errors=True)


class AgentError(Exception):
    """The agent's own."""


@pytest.mark.parametrize("trouble", ["none", "disk full", "folder gone", "bad input"])
def test_the_agents_exception_comes_out_with_its_identity(
    tmp_path: Path, disk: FailingDisk, trouble: str
) -> None:
    mine = AgentError("mine")
    with pytest.raises(AgentError) as raised, session(tmp_path / "b") as s:  # noqa: PT012 - a run
        record(s, 2)
        if trouble == "disk full":
            disk.fails = lambda _: True
        elif trouble == "folder gone":
            take_away(tmp_path / "b")
        elif trouble == "bad input":
            with pytest.raises(ValueError, match="step_index"):
                s.record_step({})  # type: ignore[typeddict-item]  # the point
        raise mine
    assert raised.value is mine
    assert raised.value.__cause__ is None
    disk.fails = lambda _: False
    s.close()
    assert_complete(tmp_path / "b", 2) if trouble != "folder gone" else None


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_a_real_file_size_limit_neither_kills_nor_corrupts(tmp_path: Path) -> None:
    code = """
import resource, signal, sys, time
from scenarios import event, png, step
from augur_sdk import DebugSession
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with DebugSession(run_id="r", client_name="c", out_dir=sys.argv[1], capture_mode="full") as s:
    s.record_step(step(0)); s.flush()
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    for index in range(1, 300):
        s.record_step(step(index))
    s.flush(0.3)
    assert s.stats.queued > 0, s.stats
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert s.flush(20).queued == 0, s.stats
assert s.stats.dropped == {}, s.stats
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(KIT), *sys.path])}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "b")], check=True, env=environment)
    assert_complete(tmp_path / "b", 300)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


@contextmanager
def small_tmpfs(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mount.returncode:
        pytest.skip("mounting a tmpfs is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a tmpfs")
def test_a_real_disk_that_fills_up_and_heals(tmp_path: Path) -> None:
    with small_tmpfs(tmp_path / "disk") as disk:
        ballast = disk / "ballast"
        with session(disk / "b") as s:
            record(s, 2)
            s.flush()
            fill(ballast)
            for index in range(2, 40):
                s.attach_observation(step_index=index, kind="pre", png_bytes=png(index))
                s.record_step(step(index))
            assert s.flush(0.3).queued > 0
            ballast.unlink()
            assert s.flush(10).queued == 0
        assert s.stats.dropped == {}
        assert_complete(disk / "b", 40)


def fill(path: Path) -> None:
    deadline = time.monotonic() + 20
    with path.open("wb", buffering=0) as file:
        while time.monotonic() < deadline:
            try:
                if not file.write(b"\0" * 4096):
                    return
            except OSError:
                return
