from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Literal, TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread
import orjson
import pytest

from augur_sdk.errors import BundleReadError, RecordError
from augur_sdk.storage import LocalFSStore, ObjectStore, S3Store, StoreError
from augur_sdk.storage.mirror import Mirror, Pace
from augur_sdk.storage.pushing import push_bundle
from augur_sdk.storage.upload_queue import UploadQueue, UploadState
from augur_sdk.storage.upload_state import UPLOADS, load_state

T = TypeVar("T")

QUICK = Pace(first=0.001, ceiling=0.01)
FILES = {
    "steps/0001.json": b"{}\n",
    "steps/0002.json": b'{"a": 1}\n',
    "events/0001.jsonl": b"",
    "screenshots/0001_pre.png": bytes(range(256)) * 50,
    "trace.json": b'{"session": {}, "steps": []}\n',
    "AGENT.md": b"# run\n",
    "manifest.json": b'{"bundle_format": "augur-bundle"}\n',
}


class Interrupting:
    """A store that fails its k-th call, before or after having done what it was asked."""

    def __init__(self, fails: Callable[[int], bool], *, after: bool = False) -> None:
        self.inner = ObjectStore.from_uri("memory://")
        self.calls = 0
        self.log: list[str] = []
        self._fails, self._after = fails, after
        self.error: Exception = StoreError("unavailable")
        self._events: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    @property
    def root_uri(self) -> str:
        return "test://bundle"

    async def _call(self, act: Callable[[], Awaitable[T]]) -> T:
        self.calls += 1
        failing = self._fails(self.calls)
        if failing and not self._after:
            raise self.error
        result = await act()
        self._check()
        if failing:
            raise self.error
        return result

    def _check(self) -> None:
        """A manifest in the store means that the rest is there."""
        if self.inner.exists("manifest.json"):
            manifest = self.inner.read_bytes("manifest.json")
            if manifest == FILES["manifest.json"]:
                assert contents(self.inner) == FILES

    async def awrite_bytes(self, relpath: str, data: bytes | Path) -> None:
        self.log.append(relpath)
        await self._call(lambda: self.inner.awrite_bytes(relpath, data))
        self._events[relpath].set()

    async def arrived(self, relpath: str) -> None:
        await self._events[relpath].wait()

    async def aread_bytes(
        self, relpath: str, *, start: int = 0, length: int | None = None
    ) -> bytes:
        return await self._call(lambda: self.inner.aread_bytes(relpath, start=start, length=length))

    async def aexists(self, relpath: str) -> bool:
        return await self._call(lambda: self.inner.aexists(relpath))

    def alist(self, prefix: str = "") -> AsyncIterator[str]:
        return self.inner.alist(prefix)

    async def afolders(self, prefix: str = "") -> list[str]:
        return await self._call(lambda: self.inner.afolders(prefix))

    async def aremove(self, relpath: str) -> None:
        await self._call(lambda: self.inner.aremove(relpath))


@pytest.fixture
def local(tmp_path: Path) -> LocalFSStore:
    store = LocalFSStore(tmp_path / "bundle")
    for relpath, data in FILES.items():
        store.write_bytes(relpath, data)
    return store


def contents(store: ObjectStore) -> dict[str, bytes]:
    return {relpath: store.read_bytes(relpath) for relpath in store.list_files()}


def dead(_: int) -> bool:
    return True


def never(_: int) -> bool:
    return False


async def mirrored(mirror: Mirror, *, seconds: float = 20) -> UploadState:
    """Run a mirror until everything marked is uploaded, or the time is over."""
    async with anyio.create_task_group() as group:
        group.start_soon(mirror.run)
        await anyio.lowlevel.checkpoint()
        await mirror.finish(seconds)
    return mirror.state


def test_a_bundle_arrives_whole_with_the_manifest_last(local: LocalFSStore) -> None:
    remote = Interrupting(never)

    async def main() -> UploadState:
        mirror = Mirror(local, remote)
        for relpath in ["manifest.json", *FILES]:
            mirror.mark(relpath)
        return await mirrored(mirror)

    state = anyio.run(main)
    assert contents(remote.inner) == FILES
    assert (state.complete, state.pending, remote.log[-1]) == (True, (), "manifest.json")
    assert sorted(state.uploaded) == sorted(FILES)
    assert not local.exists(UPLOADS)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_whichever_call_fails_everything_arrives(local: LocalFSStore, after: bool) -> None:
    calls = 0
    for k in range(1, 100):
        remote = Interrupting(k.__eq__, after=after)

        async def main(remote: Interrupting = remote) -> UploadState:
            mirror = Mirror(local, remote, pace=QUICK)
            await anyio.to_thread.run_sync(mirror.mark_changed)
            return await mirrored(mirror)

        state = anyio.run(main)
        assert (k, contents(remote.inner)) == (k, FILES)
        assert state.complete
        calls = remote.calls
        if k > calls:
            break
    assert calls > len(FILES)


@pytest.mark.parametrize("k", range(1, 12))
def test_a_store_that_dies_at_any_call_is_completed_by_a_push(local: LocalFSStore, k: int) -> None:
    remote = Interrupting(lambda number: number >= k)

    async def main() -> tuple[UploadState, UploadState, int]:
        mirror = Mirror(local, remote, pace=QUICK, give_up_after=2)
        await anyio.to_thread.run_sync(mirror.mark_changed)
        first = await mirrored(mirror)
        remote._fails = never
        before = len(remote.log)
        second = await push_bundle(local, remote, pace=QUICK)
        return first, second, len(remote.log) - before

    first, second, repeated = anyio.run(main)
    assert contents(remote.inner) == FILES
    assert second.complete
    assert first.complete == ("manifest.json" in first.uploaded)
    assert repeated == len(first.pending)  # what was there is not sent again
    assert not local.exists(UPLOADS)


def test_a_store_that_is_down_raises_nothing_and_is_noted(local: LocalFSStore) -> None:
    remote = Interrupting(dead)

    async def main() -> UploadState:
        mirror = Mirror(local, remote, pace=QUICK)
        await anyio.to_thread.run_sync(mirror.mark_changed)
        return await mirrored(mirror, seconds=0.05)

    state = anyio.run(main)
    assert not state.complete
    assert sorted(state.pending) == sorted(FILES)
    note = orjson.loads(local.read_bytes(UPLOADS))
    assert note["store"] == "test://bundle"


@pytest.mark.parametrize("reason", ["unavailable", "timeout", "denied", "missing"])
def test_failures_are_counted_by_reason(local: LocalFSStore, reason: str) -> None:
    remote = Interrupting(lambda number: number > 1)
    remote.error = StoreError(reason)  # type: ignore[arg-type] # parametrized, so a plain str

    async def main() -> UploadState:
        mirror = Mirror(local, remote, pace=QUICK, give_up_after=3)
        await anyio.to_thread.run_sync(mirror.mark_changed)
        return await mirrored(mirror)

    state = anyio.run(main)
    assert state.failed == {reason: len(FILES) - 1}  # the manifest was not tried


def test_a_store_that_is_down_is_tried_one_file_at_a_time(local: LocalFSStore) -> None:
    remote = Interrupting(lambda number: number > 1)

    async def main() -> None:
        mirror = Mirror(local, remote, pace=QUICK, give_up_after=4)
        await anyio.to_thread.run_sync(mirror.mark_changed)
        await mirrored(mirror)

    anyio.run(main)
    assert len(remote.log) == len(FILES) - 1 + 3


def test_one_file_that_is_refused_does_not_hold_up_the_others(local: LocalFSStore) -> None:
    class Picky(Interrupting):
        async def awrite_bytes(self, relpath: str, data: bytes | Path) -> None:
            if relpath.endswith(".png"):
                raise StoreError("refused")
            await super().awrite_bytes(relpath, data)

    remote = Picky(never)

    async def main() -> UploadState:
        mirror = Mirror(local, remote, pace=QUICK)
        await anyio.to_thread.run_sync(mirror.mark_changed)
        return await mirrored(mirror)

    state = anyio.run(main)
    assert state.pending == ("manifest.json", "screenshots/0001_pre.png")
    assert state.failed == {"refused": 1}
    assert len(contents(remote.inner)) == len(FILES) - 2


def test_files_are_uploaded_while_the_run_goes_on(local: LocalFSStore) -> None:
    remote = Interrupting(never)

    async def main() -> None:
        mirror = Mirror(local, remote)
        async with anyio.create_task_group() as group:
            group.start_soon(mirror.run)
            for number in range(5):
                relpath = f"steps/{number:04d}.json"

                def write(relpath: str = relpath) -> None:
                    local.write_bytes(relpath, relpath.encode())
                    mirror.mark(relpath)

                await anyio.to_thread.run_sync(write)
                with anyio.fail_after(20):
                    await remote.arrived(relpath)
            state = await mirror.finish(20)
            assert len(state.uploaded) == 5

    anyio.run(main)


def test_marks_from_many_threads_all_arrive(tmp_path: Path) -> None:
    local, remote = LocalFSStore(tmp_path), Interrupting(never)

    def work(mirror: Mirror, thread: int) -> None:
        for number in range(30):
            relpath = f"steps/{thread}-{number}.json"
            local.write_bytes(relpath, relpath.encode())
            mirror.mark(relpath)
            mirror.mark("events/run.jsonl")
            local.append_bytes("events/run.jsonl", b"1\n")
            mirror.mark("events/run.jsonl")

    async def main() -> None:
        mirror = Mirror(local, remote)
        async with anyio.create_task_group() as group:
            group.start_soon(mirror.run)
            async with anyio.create_task_group() as workers:
                for thread in range(4):
                    workers.start_soon(anyio.to_thread.run_sync, work, mirror, thread)
            await mirror.finish(20)

    anyio.run(main)
    arrived = contents(remote.inner)
    assert len(arrived) == 121
    assert arrived["events/run.jsonl"] == b"1\n" * 120


def test_an_older_manifest_is_withdrawn_before_anything_changes(local: LocalFSStore) -> None:
    remote = Interrupting(lambda number: number > 4)

    async def main() -> None:
        await remote.inner.awrite_bytes("manifest.json", b"of an earlier version")
        mirror = Mirror(local, remote, pace=QUICK, give_up_after=1)
        await anyio.to_thread.run_sync(mirror.mark_changed)
        await mirrored(mirror)

    anyio.run(main)
    assert contents(remote.inner)
    assert not remote.inner.exists("manifest.json")


def test_crash_state_and_notes_stay_here(local: LocalFSStore) -> None:
    remote = Interrupting(never)
    local.write_bytes("journal.jsonl", b"{}\n")
    local.write_bytes(UPLOADS, b"{}")

    async def main() -> None:
        mirror = Mirror(local, remote)
        mirror.mark("journal.jsonl")
        await anyio.to_thread.run_sync(mirror.mark_changed)
        await mirrored(mirror)

    anyio.run(main)
    assert contents(remote.inner) == FILES


def test_an_older_bundle_there_is_replaced(local: LocalFSStore) -> None:
    remote = Interrupting(never)
    older = {
        "steps/0002.json": b"of another run",
        "steps/0099.json": b"of another run",
        "screenshots/0099_pre.png": b"of another run",
    }
    hostile = ["../outside", "notes.txt", "steps/../../x", "", 7]
    signatures = {**older, **dict.fromkeys(map(str, hostile), "")}

    async def main() -> UploadState:
        for relpath, data in older.items():
            await remote.inner.awrite_bytes(relpath, data)
        await remote.inner.awrite_bytes("notes.txt", b"somebody else's")
        manifest = orjson.dumps({"signatures": dict.fromkeys(signatures, "00")})
        await remote.inner.awrite_bytes("manifest.json", manifest)
        remote._check = lambda: None  # type: ignore[method-assign] # there is a bystander
        return await push_bundle(local, remote, pace=QUICK)

    assert anyio.run(main).complete
    assert contents(remote.inner) == {**FILES, "notes.txt": b"somebody else's"}


def test_what_the_manifest_signs_and_somebody_deleted_here_stays_there(
    local: LocalFSStore,
) -> None:
    remote = Interrupting(never)
    anyio.run(push_bundle, local, remote)
    remote._check = lambda: None  # type: ignore[method-assign] # the manifest is another one now
    signatures = dict.fromkeys(FILES, "00")
    local.write_bytes("manifest.json", orjson.dumps({"signatures": signatures, "new": True}))
    local.remove("screenshots/0001_pre.png")
    assert anyio.run(lambda: push_bundle(local, remote, pace=QUICK)).complete
    assert contents(remote.inner).keys() == FILES.keys()


def test_what_is_not_the_bundles_stays_here(local: LocalFSStore) -> None:
    remote = Interrupting(never)
    for relpath in ("notes.txt", "earlier.dbg_1/trace.json", ".env", "src/agent.py"):
        local.write_bytes(relpath, b"the user's own")

    async def main() -> UploadState:
        mirror = Mirror(local, remote)
        mirror.mark("notes.txt")
        await anyio.to_thread.run_sync(mirror.mark_changed)
        return await mirrored(mirror)

    assert anyio.run(main).complete
    assert contents(remote.inner) == FILES


def test_a_file_that_is_gone_here_goes_there_too(local: LocalFSStore) -> None:
    remote = Interrupting(never)

    async def main() -> UploadState:
        mirror = Mirror(local, remote)
        await anyio.to_thread.run_sync(mirror.mark_changed)
        async with anyio.create_task_group() as group:
            group.start_soon(mirror.run)
            with anyio.fail_after(20):
                await remote.arrived("manifest.json")
            await anyio.to_thread.run_sync(local.remove, "steps/0001.json")
            mirror.mark("steps/0001.json")
            await anyio.to_thread.run_sync(local.remove, "screenshots/0001_pre.png")
            await anyio.to_thread.run_sync(mirror.mark_changed)  # finds the other one
            await mirror.finish(20)
        return mirror.state

    remote._check = lambda: None  # type: ignore[method-assign] # the bundle is another one meanwhile
    state = anyio.run(main)
    left = set(FILES) - {"steps/0001.json", "screenshots/0001_pre.png"}
    assert (state.complete, set(state.uploaded), set(contents(remote.inner))) == (True, left, left)


def test_a_store_that_cannot_remove_keeps_what_is_gone_here(local: LocalFSStore) -> None:
    class Keeping(Interrupting):
        async def aremove(self, relpath: str) -> None:
            raise StoreError("refused", f"this store cannot remove {relpath}")

    remote = Keeping(never)
    remote._check = lambda: None  # type: ignore[method-assign] # the bundle is another one meanwhile

    async def main() -> UploadState:
        mirror = Mirror(local, remote, uploaded=UploadState("", {"steps/0009.json": "1-2-3"}))
        await anyio.to_thread.run_sync(mirror.mark_changed)
        return await mirrored(mirror)

    state = anyio.run(main)
    assert state.complete
    assert "steps/0009.json" not in state.uploaded


def test_it_is_told_when_the_store_begins_to_fail_and_when_it_works_again(
    local: LocalFSStore,
) -> None:
    remote = Interrupting(lambda number: number in {2, 3, 4, 5})
    turns: list[object] = []

    async def main() -> UploadState:
        mirror = Mirror(local, remote, pace=QUICK, on_turn=turns.append)
        await anyio.to_thread.run_sync(mirror.mark_changed)
        return await mirrored(mirror)

    assert anyio.run(main).complete
    assert turns == ["unavailable", None]


def test_a_file_removed_before_its_turn_is_no_failure(local: LocalFSStore) -> None:
    remote = Interrupting(never)

    async def main() -> UploadState:
        mirror = Mirror(local, remote)
        await anyio.to_thread.run_sync(mirror.mark_changed)
        mirror.mark("steps/absent.json")
        return await mirrored(mirror)

    assert anyio.run(main).complete


def test_a_mirror_that_never_ran_ends_at_once(local: LocalFSStore) -> None:
    async def main() -> UploadState:
        mirror = Mirror(local, Interrupting(never))
        mirror.mark("trace.json")
        return await mirror.finish(60)

    assert anyio.run(main).pending == ("trace.json",)


def test_ending_is_bounded_while_the_store_hangs(local: LocalFSStore) -> None:
    released = threading.Event()

    class Hanging(LocalFSStore):
        def exists(self, relpath: str) -> bool:
            released.wait(30)
            return super().exists(relpath)

    async def main() -> tuple[UploadState, float]:
        mirror = Mirror(local, Hanging(local.root.parent / "remote"))
        await anyio.to_thread.run_sync(mirror.mark_changed)
        begun = time.monotonic()
        state = await mirrored(mirror, seconds=0.05)
        taken = time.monotonic() - begun
        released.set()
        return state, taken

    state, taken = anyio.run(main)
    assert sorted(state.pending) == sorted(FILES)
    assert taken < 15  # the store would have held it for 30 s


def test_a_users_store_that_hangs_holds_two_threads_and_not_the_process(tmp_path: Path) -> None:
    program = """
import sys, threading, time, anyio
from augur_sdk.storage import LocalFSStore
from augur_sdk.storage.mirror import Mirror
class Hanging(LocalFSStore):
    def open_write_binary(self, relpath):
        time.sleep(300)
local = LocalFSStore(sys.argv[1])
for number in range(9):
    local.write_bytes(f"steps/{number}.json", b"{}")
async def main():
    mirror = Mirror(local, Hanging(sys.argv[1] + "-remote"))
    mirror.mark_changed()
    async with anyio.create_task_group() as group:
        group.start_soon(mirror.run)
        while sum(t.name == "augur-store" for t in threading.enumerate()) < 2:
            await anyio.sleep(0.01)
        print(len((await mirror.finish(0.1)).pending), threading.active_count())
anyio.run(main)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "b")],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split()[0] == "9"


def test_a_users_synchronous_store_is_mirrored_too(local: LocalFSStore, tmp_path: Path) -> None:
    remote = LocalFSStore(tmp_path / "remote")

    async def main() -> UploadState:
        mirror = Mirror(local, remote)
        await anyio.to_thread.run_sync(mirror.mark_changed)
        return await mirrored(mirror)

    assert anyio.run(main).complete
    assert {path: remote.read_bytes(path) for path in remote.list_files()} == FILES


def test_more_paths_than_are_remembered_all_arrive(
    local: LocalFSStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UploadQueue.__init__, "__defaults__", (None, 2))
    remote = Interrupting(never)

    async def main() -> UploadState:
        mirror = Mirror(local, remote)
        await anyio.to_thread.run_sync(mirror.mark_changed)
        return await mirrored(mirror)

    assert anyio.run(main).complete
    assert contents(remote.inner) == FILES


def test_a_folder_that_cannot_be_looked_through_is_looked_through_later(
    local: LocalFSStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = Interrupting(never)
    monkeypatch.setattr(UploadQueue.__init__, "__defaults__", (None, 2))
    failing = [OSError(5, "Input/output error")] * 3
    real = LocalFSStore.list_files

    def unreadable(self: LocalFSStore, prefix: str = "") -> Iterator[str]:
        if failing:
            raise failing.pop()
        return real(self, prefix)

    async def main() -> UploadState:
        mirror = Mirror(local, remote, pace=QUICK)
        for relpath in FILES:
            mirror.mark(relpath)
        monkeypatch.setattr(LocalFSStore, "list_files", unreadable)
        return await mirrored(mirror)

    assert anyio.run(main).complete
    assert (contents(remote.inner), failing) == (FILES, [])


def test_an_illegal_path_is_refused_when_it_is_marked(local: LocalFSStore) -> None:
    with pytest.raises(RecordError):
        Mirror(local, Interrupting(never)).mark("logs/../outside")


# -- pushing later


def test_a_push_tells_how_far_it_is(local: LocalFSStore) -> None:
    told: list[tuple[int, int]] = []
    remote = Interrupting(never)
    state = anyio.run(lambda: push_bundle(local, remote, progress=lambda *now: told.append(now)))
    assert state.complete
    assert told == [(number, len(FILES)) for number in range(len(FILES) + 1)]


def test_a_push_to_a_store_that_has_it_all_sends_nothing(local: LocalFSStore) -> None:
    remote = Interrupting(never)
    anyio.run(push_bundle, local, remote)
    before = len(remote.log)
    assert anyio.run(push_bundle, local, remote).complete
    assert len(remote.log) == before


def test_a_push_sends_what_has_changed_since(local: LocalFSStore) -> None:
    remote = Interrupting(never)

    async def main() -> None:
        mirror = Mirror(local, remote, pace=QUICK)
        for relpath in ("steps/0001.json", "steps/0002.json"):
            mirror.mark(relpath)
        await mirrored(mirror)

    anyio.run(main)
    assert sorted(load_state(local, "test://bundle").uploaded) == [
        "steps/0001.json",
        "steps/0002.json",
    ]
    local.write_bytes("steps/0002.json", FILES["steps/0002.json"])  # rewritten, so sent again
    remote.log.clear()
    anyio.run(push_bundle, local, remote)
    assert sorted(remote.log) == sorted(set(FILES) - {"steps/0001.json"})


def test_a_push_to_a_store_that_is_down_says_what_is_missing(local: LocalFSStore) -> None:
    state = anyio.run(lambda: push_bundle(local, Interrupting(dead), pace=QUICK, attempts=2))
    assert not state.complete
    assert sorted(state.pending) == sorted(FILES)


def test_a_folder_without_a_manifest_is_not_pushed(tmp_path: Path) -> None:
    with pytest.raises(BundleReadError, match="augur recover"):
        anyio.run(push_bundle, tmp_path, Interrupting(never))


@pytest.mark.parametrize("note", [b"", b"[]", b"{", b'{"store": 1}', b'{"uploaded": []}'])
def test_a_note_that_cannot_be_read_only_costs_work(local: LocalFSStore, note: bytes) -> None:
    local.write_bytes(UPLOADS, note)
    remote = Interrupting(never)
    assert anyio.run(push_bundle, local, remote).complete
    assert contents(remote.inner) == FILES


def test_what_a_note_speaks_of_and_the_store_does_not_have_is_sent(local: LocalFSStore) -> None:
    remote = Interrupting(lambda number: number > 5)

    async def main() -> UploadState:
        mirror = Mirror(local, remote, pace=QUICK, give_up_after=1)
        await anyio.to_thread.run_sync(mirror.mark_changed)
        first = await mirrored(mirror)
        assert len(first.uploaded) > 1
        remote._fails = never
        for relpath in first.uploaded:  # somebody tidies the bucket up
            await remote.inner.aremove(relpath)
        return await push_bundle(local, remote, pace=QUICK)

    assert anyio.run(main).complete
    assert contents(remote.inner) == FILES


def test_a_note_about_another_store_does_not_count(local: LocalFSStore) -> None:
    local.write_bytes(UPLOADS, b'{"store": "s3://other", "uploaded": {"trace.json": "x"}}')
    assert load_state(local, "test://bundle").uploaded == {}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no POSIX modes")
def test_a_folder_that_cannot_be_written_to_can_be_pushed_from(local: LocalFSStore) -> None:
    remote = Interrupting(dead)
    (local.root / UPLOADS).mkdir()  # the note cannot be written
    state = anyio.run(lambda: push_bundle(local, remote, pace=QUICK, attempts=1))
    assert not state.complete


class Copying(Interrupting):
    """A store that can copy, or says that it can."""

    def __init__(self, fails: Callable[[int], bool], broken: Exception | None = None) -> None:
        super().__init__(fails)
        self.copies: list[tuple[str, str]] = []
        self._broken = broken

    def _check(self) -> None:
        """These tests have more files than the others."""

    async def acopy(self, relpath: str, target: str) -> None:
        self.copies.append((relpath, target))
        if self._broken is not None:
            raise self._broken
        await self.inner.acopy(relpath, target)


LINKED = ["screenshots/0001_pre.png", "screenshots/0002_pre.png", "screenshots/0003_pre.png"]


def link_pictures(local: LocalFSStore) -> None:
    for relpath in LINKED[1:]:
        local.link(local.path(LINKED[0]), relpath)


def test_a_linked_picture_is_uploaded_once_and_copied_by_the_store(local: LocalFSStore) -> None:
    link_pictures(local)
    remote = Copying(never)
    assert anyio.run(push_bundle, local, remote).complete
    sent = [relpath for relpath in remote.log if relpath in LINKED]
    assert len(sent) == 1
    assert sorted([*sent, *(target for _, target in remote.copies)]) == LINKED
    picture = FILES[LINKED[0]]
    assert contents(remote.inner) == {**FILES, **dict.fromkeys(LINKED, picture)}


@pytest.mark.parametrize("reason", ["denied", "refused", "unavailable"])
def test_a_store_that_cannot_copy_is_sent_the_picture_again(
    local: LocalFSStore, reason: Literal["denied", "refused", "unavailable"]
) -> None:
    link_pictures(local)
    remote = Copying(never, StoreError(reason))
    assert anyio.run(push_bundle, local, remote).complete
    assert sorted(path for path in remote.log if path in LINKED) == LINKED
    assert remote.inner.read_bytes(LINKED[2]) == FILES[LINKED[0]]


def test_what_has_changed_since_it_was_uploaded_is_not_copied(local: LocalFSStore) -> None:
    link_pictures(local)
    remote = Copying(never)

    async def main() -> UploadState:
        mirror = Mirror(local, remote)
        async with anyio.create_task_group() as group:
            group.start_soon(mirror.run)
            mirror.mark(LINKED[0])
            await remote.arrived(LINKED[0])
            await anyio.to_thread.run_sync(local.write_bytes, LINKED[0], b"another picture")
            mirror.mark(LINKED[0])
            mirror.mark(LINKED[1])
            await mirror.finish(20)
        return mirror.state

    anyio.run(main)
    assert remote.inner.read_bytes(LINKED[0]) == b"another picture"
    assert remote.inner.read_bytes(LINKED[1]) == FILES[LINKED[0]]


def test_a_linked_picture_in_s3_is_byte_equal(
    local: LocalFSStore, make_s3: Callable[..., S3Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    link_pictures(local)
    remote = make_s3("runs/copied")
    sent: list[str] = []
    upload = S3Store.awrite_bytes

    async def noted(store: S3Store, relpath: str, data: bytes | Path) -> None:
        sent.append(relpath)
        await upload(store, relpath, data)

    monkeypatch.setattr(S3Store, "awrite_bytes", noted)
    assert anyio.run(push_bundle, local, remote).complete
    assert len([relpath for relpath in sent if relpath in LINKED]) == 1
    assert contents(remote) == {**FILES, **dict.fromkeys(LINKED, FILES[LINKED[0]])}


def test_a_bundle_in_s3_is_byte_equal(local: LocalFSStore, make_s3: Callable[..., S3Store]) -> None:
    remote = make_s3("runs/1")
    assert anyio.run(push_bundle, local, remote).complete
    assert contents(remote) == FILES
