"""A power cut: what a sync covered is there, and syncs come in time.

The disk behind is simulated (kit/power_cut.py): it keeps what fsync, fdatasync and syncfs
guarantee, whatever this machine's own disk does.
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest
from instants import copy_of_live_folder
from power_cut import DiskBehind, Unsynced
from scenarios import event, png, read_json, step

from augur_sdk import DebugSession, recover_bundle
from augur_sdk.session import core
from augur_sdk.validation import validate_bundle

pytestmark = pytest.mark.skipif(os.name == "nt", reason="folders cannot be synced there")

PATIENCE = 20.0
"""Seconds to wait for the next sync, which comes within half of one unless cores are taken."""


@pytest.fixture(params=[True, False], ids=["syncfs", "file by file"])
def disk(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> DiskBehind:
    behind = DiskBehind(tmp_path / "live" / "b", syncfs=request.param)
    behind.folder.parent.mkdir()
    behind.install(monkeypatch)
    return behind


def open_session(disk: DiskBehind, **options: Any) -> DebugSession:
    return DebugSession(
        run_id="r", client_name="c", out_dir=disk.folder, capture_mode="full", **options
    )


def record(session: DebugSession, index: int, *, picture: bool) -> None:
    if picture:
        session.attach_observation(step_index=index, kind="pre", png_bytes=png(index))
    session.record_event(event(index))
    session.record_step(step(index))


def cuts(disk: DiskBehind, target: Path, *, seed: int = 0) -> list[Path]:
    """The folders that a power cut at this instant may leave."""
    return [disk.cut(target / unsynced.value, unsynced, seed=seed) for unsynced in Unsynced]


def recovered(folder: Path) -> dict[int, dict[str, Any]]:
    """Recover what a power cut left, hold it against its schema, and return its steps."""
    assert recover_bundle(folder).damaged <= 1  # the line at which the journal was cut
    assert [issue.render() for issue in validate_bundle(folder)] == []
    return {found["step_index"]: found for found in read_json(folder / "trace.json")["steps"]}


def assert_whole(folder: Path, indices: range, *, picture: bool) -> None:
    """Each of these steps is in the recovered bundle, with its event and its picture."""
    steps = recovered(folder)
    for index in indices:
        assert steps[index] == step(index)
        assert (folder / f"events/{index:04d}.jsonl").read_bytes().count(b"\n") == 1
        if picture:
            assert (folder / f"screenshots/{index:04d}_pre.png").read_bytes() == png(index)


def refuse_threads() -> None:
    raise RuntimeError("can't start new thread")


@pytest.mark.parametrize("threads", [True, False], ids=["threads", "no threads"])
@pytest.mark.parametrize("picture", [True, False], ids=["pictures", "no pictures"])
def test_a_durable_call_that_returned_is_on_the_disk(
    disk: DiskBehind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, picture: bool, threads: bool
) -> None:
    if not threads:
        monkeypatch.setattr(core, "lease", refuse_threads)
    with open_session(disk, durable=True) as session:
        for index in range(6):
            record(session, index, picture=picture)
            for folder in cuts(disk, tmp_path / str(index), seed=index):
                assert_whole(folder, range(index + 1), picture=picture)


@pytest.mark.parametrize("picture", [True, False], ids=["pictures", "no pictures"])
def test_what_was_stored_before_a_sync_began_survives_it(
    disk: DiskBehind, tmp_path: Path, picture: bool
) -> None:
    with open_session(disk) as session:
        syncs = Syncs(session)
        for index in range(3):
            record(session, index, picture=picture)
            session.flush()
            syncs.wait_for_one_that_begins_now()
            for folder in cuts(disk, tmp_path / str(index), seed=index):
                assert_whole(folder, range(index + 1), picture=picture)


@pytest.mark.parametrize("durable", [True, False], ids=["durable", "not"])
def test_a_closed_bundle_is_whole_without_recovery(
    disk: DiskBehind, tmp_path: Path, durable: bool
) -> None:
    with open_session(disk, durable=durable) as session:
        record(session, 0, picture=True)
    for folder in cuts(disk, tmp_path / "cut"):
        assert [issue.render() for issue in validate_bundle(folder)] == []
        assert read_json(folder / "manifest.json") == session.manifest
        # The journal, whose removal was not synced, may be back.
        assert recover_bundle(folder).recovered is False
        assert read_json(folder / "manifest.json") == session.manifest


def test_a_cut_at_any_sync_leaves_what_recovers_and_closing_loses_nothing(
    disk: DiskBehind, tmp_path: Path
) -> None:
    session = open_session(disk)
    with session:
        syncs = Syncs(session)
        record(session, 0, picture=True)
        session.flush()
        syncs.wait_for_one_that_begins_now()
        stored = len(disk.syncs)
        record(session, 1, picture=True)
    every = max(1, (len(disk.syncs) - stored) // 8)
    for number in range(stored, len(disk.syncs), every):
        _, state = disk.syncs[number]
        folder = disk.left_by(state, tmp_path / str(number))
        recover_bundle(folder)
        assert [issue.render() for issue in validate_bundle(folder)] == []
        assert {found["step_index"] for found in read_json(folder / "trace.json")["steps"]} >= {0}


@pytest.mark.parametrize("call", ["fdatasync", "syncfs"])
def test_a_sync_that_does_nothing_is_noticed_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """That these tests can fail."""
    disk = DiskBehind(tmp_path / "live" / "b")
    disk.folder.parent.mkdir()
    disk.install(monkeypatch)
    with open_session(disk, durable=True) as session:
        record(session, 0, picture=True)
        disk.broken = call.__eq__
        record(session, 1, picture=call == "syncfs")
        folder = disk.cut(tmp_path / "cut")
        with pytest.raises((KeyError, FileNotFoundError)):
            assert_whole(folder, range(2), picture=call == "syncfs")


class Syncs:
    """The session's own syncs, each of one call or of many: when they begin and end."""

    def __init__(self, session: DebugSession) -> None:
        self.begun = 0
        self.ended: set[int] = set()
        self._sync = session._core.archive.sync
        session._core.archive.sync = self._noted  # type: ignore[method-assign]  # to look on

    def _noted(self) -> None:
        self.begun += 1
        number = self.begun
        self._sync()
        self.ended.add(number)

    def wait_for_one_that_begins_now(self) -> None:
        before = self.begun
        deadline = time.monotonic() + PATIENCE
        while not any(number > before for number in list(self.ended)):
            assert time.monotonic() < deadline, "nothing is synced"
            time.sleep(0.01)


def test_a_sync_returns_only_when_the_pictures_are_on_the_disk_whoever_syncs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The syncer's turn and a durable call's may meet."""
    disk = DiskBehind(tmp_path / "live" / "b")
    disk.folder.parent.mkdir()
    begun, go_on = threading.Event(), threading.Event()

    def slow(call: str) -> bool:
        if call == "syncfs" and not begun.is_set():
            begun.set()
            assert go_on.wait(30)
        return False

    with open_session(disk) as session:
        disk.install(monkeypatch)
        archive = session._core.archive
        record(session, 0, picture=True)
        session.flush()
        disk.broken = slow
        archive._unsynced = True

        def sync_and_cut() -> Path:
            archive.sync()
            return disk.cut(tmp_path / "cut")

        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(archive.sync)
            assert begun.wait(30)
            second = pool.submit(sync_and_cut)
            wait([second], 0.3)
            go_on.set()
            first.result()
        assert (second.result() / "screenshots/0000_pre.png").read_bytes() == png(0)


@pytest.mark.parametrize("found", [b"", png(7)], ids=["torn", "replaced"])
def test_a_picture_that_is_not_the_journals_makes_no_invalid_bundle(
    tmp_path: Path, found: bytes
) -> None:
    """Replaced, with its line not in the journal yet; or its bytes lost with the power."""
    with DebugSession(
        run_id="r", client_name="c", out_dir=tmp_path / "b", capture_mode="full"
    ) as session:
        record(session, 0, picture=True)
        session.flush()
        copy_of_live_folder(tmp_path / "b", tmp_path / "cut")
    (tmp_path / "cut/screenshots/0000_pre.png").write_bytes(found)
    assert 0 in recovered(tmp_path / "cut")
