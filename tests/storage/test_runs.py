from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import orjson
import pytest

from augur_sdk.storage import LocalFSStore, ObjectStore, S3Store, StoreError
from augur_sdk.storage.runs import RUNS_AT_ONCE, RunSummary, list_runs, session_of


def manifest(run_id: str, **more: Any) -> bytes:
    record = {
        "run_id": run_id,
        "debug_session_id": "dbg_1",
        "client": {"name": "agent"},
        "capture_mode": "full",
        "created_at": "2026-01-01T00:00:00Z",
        "step_count": 3,
        "costs": {"total_usd": 0.25},
        "trajectory_fingerprint": "cua_v1:abc",
        **more,
    }
    return orjson.dumps(record)


def trace(status: str, **more: Any) -> bytes:
    record = {"session": {**more, "status": status}, "steps": [{"x": "y" * 1000}] * 20}
    return orjson.dumps(record, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)


def put(store: ObjectStore | LocalFSStore, path: str, status: str = "succeeded") -> None:
    store.write_bytes(f"{path}/manifest.json", manifest(path))
    store.write_bytes(f"{path}/trace.json", trace(status))
    store.write_bytes(f"{path}/steps/0001.json", b"{}")


def listed(store: Any, prefix: str = "", **options: Any) -> list[RunSummary]:
    async def main() -> list[RunSummary]:
        return [run async for run in list_runs(store, prefix, **options)]

    return anyio.run(main)


@pytest.fixture(params=["memory", "folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore | LocalFSStore:
    if request.param == "memory":
        return ObjectStore.from_uri("memory://")
    if request.param == "folder":
        return LocalFSStore(tmp_path)
    make: Callable[..., S3Store] = request.getfixturevalue("make_s3")
    return make("all")


def test_runs_are_listed_with_what_their_manifests_say(store: ObjectStore | LocalFSStore) -> None:
    put(store, "run-b", "failed")
    put(store, "run-a")
    runs = listed(store)
    assert [(run.path, run.status) for run in runs] == [("run-a", "succeeded"), ("run-b", "failed")]
    first = runs[0]
    assert first.uri == f"{store.root_uri}/run-a"
    assert (first.run_id, first.client, first.steps) == ("run-a", "agent", 3)
    assert (first.total_usd, first.fingerprint, first.complete) == (0.25, "cua_v1:abc", True)


def test_runs_in_folders_of_folders_are_found(store: ObjectStore | LocalFSStore) -> None:
    for path in ("2026/01/a", "2026/02/b", "c"):
        put(store, path)
    assert [run.path for run in listed(store)] == ["2026/01/a", "2026/02/b", "c"]
    assert [run.path for run in listed(store, "2026")] == ["2026/01/a", "2026/02/b"]
    assert listed(store, "absent") == []


def test_a_run_itself_is_one_run(store: ObjectStore | LocalFSStore) -> None:
    put(store, "run-a")
    assert [run.path for run in listed(store, "run-a")] == ["run-a"]


def test_an_unfinished_run_is_listed_as_such(store: ObjectStore | LocalFSStore) -> None:
    store.write_bytes("run-a/steps/0001.json", b"{}")
    assert [(run.path, run.complete) for run in listed(store)] == [("run-a", False)]


def test_status_costs_nothing_when_it_is_not_wanted(store: ObjectStore | LocalFSStore) -> None:
    put(store, "run-a")
    assert [run.status for run in listed(store, with_status=False)] == [None]


@pytest.mark.parametrize(
    "broken", [b"", b"[]", b"{", b'{"costs": 3}', b'{"client": ["x"]}', b"\xff"]
)
def test_a_broken_manifest_is_a_fault_of_that_run_alone(broken: bytes) -> None:
    store = ObjectStore.from_uri("memory://")
    put(store, "a")
    store.write_bytes("b/manifest.json", broken)
    put(store, "c")
    assert [(run.path, run.fault) for run in listed(store)] == [
        ("a", None),
        ("b", "unreadable"),
        ("c", None),
    ]


def test_a_manifest_without_a_trace_has_no_status() -> None:
    store = ObjectStore.from_uri("memory://")
    store.write_bytes("a/manifest.json", b"{}")
    assert [(run.status, run.fault, run.steps) for run in listed(store)] == [(None, None, None)]


def test_a_large_session_is_still_read_in_part() -> None:
    store = ObjectStore.from_uri("memory://")
    put(store, "a")
    store.write_bytes("a/trace.json", trace("halted", branch_context={"note": "x" * 20_000}))
    assert [run.status for run in listed(store)] == ["halted"]
    store.write_bytes("a/trace.json", trace("halted", branch_context={"note": "x" * 200_000}))
    assert [run.status for run in listed(store)] == [None]


def test_progress_is_told() -> None:
    store = ObjectStore.from_uri("memory://")
    for number in range(70):
        put(store, f"run-{number:02d}")
    told: list[tuple[int, int]] = []
    listed(store, progress=lambda *now: told.append(now))
    assert told == [(number, 70) for number in range(1, 71)]


TRACE = trace("succeeded")
MANIFEST = manifest("run", signatures={f"steps/{number}.json": "0" * 64 for number in range(20)})


class Counting:
    """Makes up runs, and counts how many manifests are held at once."""

    root_uri = "test://runs"

    def __init__(self, runs: int) -> None:
        self.runs, self.reading, self.most = runs, 0, 0

    async def awrite_bytes(self, relpath: str, data: bytes | Path) -> None:
        raise AssertionError(relpath, data)

    async def aread_bytes(
        self, relpath: str, *, start: int = 0, length: int | None = None
    ) -> bytes:
        if "/" not in relpath:
            raise FileNotFoundError(relpath)
        self.reading += 1
        self.most = max(self.most, self.reading)
        await anyio.lowlevel.checkpoint()
        self.reading -= 1
        if relpath.endswith("trace.json"):
            return TRACE[start : start + (length or 0)]
        return MANIFEST

    async def aexists(self, relpath: str) -> bool:
        raise AssertionError(relpath)

    async def alist(self, prefix: str = "") -> AsyncIterator[str]:
        for relpath in await self.afolders(prefix):
            yield relpath

    async def afolders(self, prefix: str = "") -> list[str]:
        assert not prefix
        return [f"run-{number:05d}" for number in range(self.runs)]

    async def aremove(self, relpath: str) -> None:
        raise AssertionError(relpath)


def peak_of(runs: int) -> tuple[int, int]:
    store = Counting(runs)

    async def main() -> int:
        return len([None async for _ in list_runs(store)])

    tracemalloc.start()
    try:
        assert anyio.run(main) == runs
        return tracemalloc.get_traced_memory()[1], store.most
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_memory_stays_flat_at_ten_thousand_runs() -> None:
    few, _ = peak_of(500)
    many, at_once = peak_of(10_000)
    paths = 10_000 * 120  # the folders' names are the one thing that grows
    assert many < 1.5 * few + paths
    assert at_once <= RUNS_AT_ONCE


def test_a_store_that_cannot_be_listed_says_so() -> None:
    class Down(Counting):
        async def afolders(self, prefix: str = "") -> list[str]:
            raise StoreError("unavailable", prefix)

    with pytest.raises(StoreError):
        listed(Down(1))


@pytest.mark.parametrize(
    ("head", "session"),
    [
        (b'{"session": {"a": 1}, "steps": [', {"a": 1}),
        (b'{\n  "session": {\n    "a": "}"\n  },', {"a": "}"}),
        (b'{"session": {"a": 1', None),
        (b'{"steps": [], "session": {"a": 1}}', {"a": 1}),
        (b'{"steps": [], "session": {"a": 1}', None),
        (b'{"session": 3}', None),
        (b"[" * 5000, None),
        (b'{"session": ' + b"[" * 5000, None),
        (b"", None),
        (b'{"session": {"a": "\xe2\x82', None),
    ],
)
def test_a_session_is_read_from_the_head_of_a_trace(
    head: bytes, session: dict[str, Any] | None
) -> None:
    assert session_of(head) == session
