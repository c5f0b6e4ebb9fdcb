"""A session against a dict: record, patch, flush, crash, recover, disk faults, close."""

from __future__ import annotations

import errno
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from instants import copy_of_live_folder
from scenarios import event, png, read_json, step

from augur_sdk import DebugSession, recover_bundle
from augur_sdk.bundle.journal import JournalFile
from augur_sdk.storage import LocalFSStore
from augur_sdk.validation import ValidationIssue, validate_bundle

indices = st.integers(0, 9)


class SwitchedDisk(LocalFSStore):
    """A folder that can be told to be full."""

    full = False

    def write_bytes(self, relpath: str, data: bytes) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "full")
        super().write_bytes(relpath, data)

    def create_bytes(self, relpath: str, data: bytes) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "full")
        super().create_bytes(relpath, data)


class SwitchedJournal(JournalFile):
    """A journal that can be told to be on a full disk."""

    full = False

    def frame(self, lines: bytes) -> bytes:
        if self.full:
            raise OSError(errno.ENOSPC, "full")
        return super().frame(lines)


class SessionMachine(RuleBasedStateMachine):
    """What `flush` covered survives a crash; what was recorded is in the closed bundle."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.session = DebugSession(
            run_id="r", client_name="c", out_dir=self.folder / "b", capture_mode="full"
        )
        archive = self.session._core.archive
        self.disk = archive.files = SwitchedDisk(self.folder / "b")
        archive.projection._files = self.disk
        self.journal = archive.journal = SwitchedJournal(archive.journal.path)
        archive.projection._journal = self.journal
        self.session.__enter__()
        self.steps: dict[int, dict[str, Any]] = {}
        self.flushed: dict[int, dict[str, Any]] = {}
        self.versions: dict[int, list[dict[str, Any]]] = {}
        """What each step was from the last flush on: a crash leaves one of them."""
        self.events = self.flushed_events = 0
        self.crashes = 0

    @rule(index=indices, intent=st.text(max_size=10))
    def record(self, index: int, intent: str) -> None:
        record = step(index, intent=intent)
        self.session.record_step(record)
        before = self.steps.get(index, {})
        kept = {"costs": before["costs"]} if "costs" in before else {}
        self.becomes(index, {**kept, **record})

    @rule(index=indices, dollars=st.integers(0, 5))
    def patch(self, index: int, dollars: int) -> None:
        if index in self.steps:
            self.session.set_step_costs(index, total_usd=dollars)
            self.becomes(index, {**self.steps[index], "costs": {"total_usd": dollars}})

    def becomes(self, index: int, record: dict[str, Any]) -> None:
        self.steps[index] = record
        self.versions.setdefault(index, []).append(record)

    @rule(index=indices)
    def say(self, index: int) -> None:
        self.session.record_event(event(index))
        self.events += 1

    @rule(index=indices, seed=st.integers(0, 3))
    def see(self, index: int, seed: int) -> None:
        self.session.attach_observation(step_index=index, kind="pre", png_bytes=png(seed))

    @rule()
    def flush(self) -> None:
        if not self.disk.full:
            assert self.session.flush(10).queued == 0
            self.flushed = dict(self.steps)
            self.versions = {index: [record] for index, record in self.steps.items()}
            self.flushed_events = self.events

    @rule()
    def disk_fills_up(self) -> None:
        self.disk.full = self.journal.full = True

    @rule()
    def disk_heals(self) -> None:
        self.disk.full = self.journal.full = False

    @rule()
    def crash_and_recover(self) -> None:
        """What lies on the disk at this instant is what a killed process would leave."""
        self.crashes += 1
        copy = self.folder / f"crash{self.crashes}"
        copy_of_live_folder(self.folder / "b", copy)
        recover_bundle(copy)
        found = {s["step_index"]: s for s in read_json(copy / "trace.json")["steps"]}
        assert self.flushed.keys() <= found.keys() <= self.steps.keys()
        for index, record in found.items():
            assert record in self.versions[index]
        assert self.flushed_events <= count_events(copy) <= self.events
        assert [i.render() for i in validate_bundle(copy) if not is_newer_picture(i)] == []
        shutil.rmtree(copy)

    def teardown(self) -> None:
        self.disk.full = self.journal.full = False
        self.session.flush(10)
        self.session.close()
        trace = read_json(self.folder / "b/trace.json")
        assert trace["steps"] == [self.steps[index] for index in sorted(self.steps)]
        stats = self.session.stats
        assert stats.dropped == {}
        assert stats.accepted == stats.stored
        assert [issue.render() for issue in validate_bundle(self.folder / "b")] == []
        assert count_events(self.folder / "b") == self.events
        shutil.rmtree(self.folder)


def is_newer_picture(issue: ValidationIssue) -> bool:
    """A picture that had just been replaced, with its new line not in the journal yet."""
    return issue.where.startswith("screenshots/") and "was changed" in issue.message


def count_events(bundle: Path) -> int:
    return sum(len(path.read_bytes().splitlines()) for path in bundle.glob("events/*"))


SessionMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestSessionMachine = SessionMachine.TestCase
