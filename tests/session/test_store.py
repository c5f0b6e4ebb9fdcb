"""A session that was given a store: the bundle goes there too, and the agent never notices."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from faulty_s3 import Faults
from scenarios import event, files_of, png, read_json, step
from users_store import UsersStore

from augur_sdk import AsyncDebugSession, DebugSession
from augur_sdk.storage import LocalFSStore, ObjectStore, S3Store, Store, StoreError
from augur_sdk.storage.pushing import push_bundle
from augur_sdk.storage.reading import local_copy
from augur_sdk.storage.upload_queue import Pace
from augur_sdk.validation import validate_bundle

QUICK = Pace(first=0.001, ceiling=0.01)

Run = Callable[..., Any]


def record_blocking(folder: Path, store: Store, *, steps: int = 3, **options: Any) -> Any:
    known: dict[str, Any] = {"capture_mode": "full", "flush_timeout": 30.0, **options}
    session = DebugSession(
        run_id="run_1", client_name="agent", out_dir=folder, store=store, **known
    )
    with session:
        for index in range(steps):
            path = session.attach_observation(step_index=index, kind="pre", png_bytes=png(index))
            session.record_step(step(index, observation_pre=path))
            session.record_event(event(index))
        session.record_event(event(None))
    return session


def record_async(folder: Path, store: Store, *, steps: int = 3, **options: Any) -> Any:
    known: dict[str, Any] = {"capture_mode": "full", "flush_timeout": 30.0, **options}
    session = AsyncDebugSession(
        run_id="run_1", client_name="agent", out_dir=folder, store=store, **known
    )

    async def main() -> None:
        async with session:
            for index in range(steps):
                path = await session.attach_observation(
                    step_index=index, kind="pre", png_bytes=png(index)
                )
                await session.record_step(step(index, observation_pre=path))
                await session.record_event(event(index))
            await session.record_event(event(None))

    anyio.run(main)
    return session


both = pytest.mark.parametrize("record", [record_blocking, record_async], ids=["blocking", "async"])


def memory() -> ObjectStore:
    return ObjectStore.from_uri("memory://")


def contents(store: ObjectStore | LocalFSStore) -> dict[str, bytes]:
    return {relpath: store.read_bytes(relpath) for relpath in store.list_files()}


@contextmanager
def in_time(seconds: float = 40) -> Iterator[Callable[[Callable[[], bool]], None]]:
    """Wait on conditions, inside one deadline."""
    deadline = time.monotonic() + seconds

    def until(condition: Callable[[], bool]) -> None:
        while not condition():
            assert time.monotonic() < deadline, "it did not happen in time"
            threading.Event().wait(0.01)

    yield until


# -- everything arrives


@both
def test_the_store_gets_the_bundle_byte_for_byte(tmp_path: Path, record: Run) -> None:
    store = memory()
    session = record(tmp_path / "b", store)
    assert contents(store) == files_of(tmp_path / "b")
    assert session.manifest == read_json(tmp_path / "b/manifest.json")
    assert not {"journal.jsonl", "uploads.json"} & set(files_of(tmp_path / "b"))
    assert validate_bundle(tmp_path / "b") == []


@both
def test_in_s3_the_bundle_is_byte_equal_and_valid(
    tmp_path: Path, make_s3: Callable[..., S3Store], record: Run
) -> None:
    store = make_s3("runs/1")
    record(tmp_path / "b", store)
    assert contents(store) == files_of(tmp_path / "b")
    with local_copy(store) as copy:
        assert validate_bundle(copy) == []


@both
def test_a_users_own_synchronous_store_is_called_in_its_own_threads_only(
    tmp_path: Path, record: Run
) -> None:
    store = UsersStore()
    record(tmp_path / "b", store)
    assert store.files == files_of(tmp_path / "b")
    assert store.written[-1] == "manifest.json"
    assert store.threads - {"MainThread"} == {"augur-store"}


def test_another_folder_is_a_store_too(tmp_path: Path) -> None:
    store = LocalFSStore(tmp_path / "elsewhere")
    record_blocking(tmp_path / "b", store)
    assert contents(store) == files_of(tmp_path / "b")


@both
@pytest.mark.parametrize("where", ["folder", "uri"])
def test_the_bundles_own_folder_is_not_copied_onto_itself(
    tmp_path: Path, record: Run, where: str
) -> None:
    folder = tmp_path / "b"
    own: Store = LocalFSStore(folder)
    store = own if where == "folder" else ObjectStore.from_uri(folder.as_uri())
    session = record(folder, store)
    assert session.store is store
    assert validate_bundle(folder) == []


def test_capture_mode_off_sends_no_step(tmp_path: Path) -> None:
    store = memory()
    record_blocking(tmp_path / "b", store, capture_mode="off")
    found = {path for path in contents(store) if not path.startswith("schema/")}
    assert found == {"AGENT.md", "manifest.json", "trace.json"}


# -- behind the run


def test_steps_are_there_before_the_run_ends(tmp_path: Path) -> None:
    store = UsersStore()
    session = DebugSession(
        run_id="r", client_name="c", out_dir=tmp_path / "b", store=store, capture_mode="full"
    )
    with session, in_time() as until:
        session.attach_observation(step_index=0, kind="pre", png_bytes=png())
        session.record_step(step(0))
        until(lambda: {"steps/0000.json", "screenshots/0000_pre.png"} <= store.files.keys())
        assert "manifest.json" not in store.files
    assert store.files == files_of(tmp_path / "b")


def test_not_one_byte_of_a_sensitive_step_is_sent(tmp_path: Path) -> None:
    store = UsersStore()
    session = DebugSession(
        run_id="r",
        client_name="c",
        out_dir=tmp_path / "b",
        store=store,
        capture_mode="full",
        flush_timeout=30.0,
    )
    with session, in_time() as until:
        session.attach_observation(step_index=0, kind="pre", png_bytes=png())
        session.record_event(event(0, "the canary-password"))
        session.record_step(step(1))
        until(lambda: "steps/0001.json" in store.files)
        session.record_step(step(0, intent="type canary-password", sensitive=True))
    assert session.manifest is not None
    assert not [path for path in store.written if path.startswith("screenshots/")]
    assert not [path for path, data in store.files.items() if b"canary-password" in data]
    assert store.files == files_of(tmp_path / "b")


def test_a_step_that_moves_into_a_folder_leaves_nothing_behind(tmp_path: Path) -> None:
    store = memory()
    session = DebugSession(
        run_id="r",
        client_name="c",
        out_dir=tmp_path / "b",
        store=store,
        capture_mode="full",
        flush_timeout=30.0,
    )
    with session, in_time() as until:
        session.record_step(step(0))
        until(lambda: store.exists("steps/0000.json"))
        session.record_step_iteration(0, step(0, step_id="again"))
    assert contents(store) == files_of(tmp_path / "b")
    assert not store.exists("steps/0000.json")


def test_a_folder_that_is_taken_away_under_the_run_is_copied_as_it_was_made_again(
    tmp_path: Path,
) -> None:
    store = memory()
    session = DebugSession(
        run_id="r",
        client_name="c",
        out_dir=tmp_path / "b",
        store=store,
        capture_mode="full",
        flush_timeout=30.0,
    )
    with session:
        session.record_step(step(0))
        session.flush()
        (tmp_path / "b").rename(tmp_path / "gone")
        session.record_step(step(1))
    assert contents(store) == files_of(tmp_path / "b")
    assert {"steps/0000.json", "steps/0001.json"} <= contents(store).keys()


# -- a store that fails


@both
def test_a_store_that_is_down_for_the_whole_run_costs_a_later_push(
    tmp_path: Path, record: Run, caplog: pytest.LogCaptureFixture
) -> None:
    folder, store = tmp_path / "b", UsersStore(fails=lambda _: True)
    session = record(folder, store, flush_timeout=1.5)
    assert session.manifest is not None
    assert validate_bundle(folder) == []
    assert store.files == {}
    here = files_of(folder)
    assert "journal.jsonl" not in here
    assert read_json(folder / "uploads.json")["store"] == "vault://runs/1"
    assert caplog.text.count("takes nothing at the moment (unavailable)") == 1
    assert caplog.text.count("augur push --store vault://runs/1") == 1
    assert "canary-secret" not in caplog.text + str(here)

    store.fails = lambda _: False
    assert anyio.run(push_bundle, folder, store).complete
    assert store.files == files_of(folder)
    assert validate_bundle(folder) == []


def test_a_server_that_is_not_there_costs_a_later_push(
    tmp_path: Path, make_s3: Callable[..., S3Store]
) -> None:
    folder = tmp_path / "b"
    absent = make_s3("runs/1", endpoint="http://127.0.0.1:9")
    record_blocking(folder, absent, flush_timeout=0.5)
    assert validate_bundle(folder) == []
    assert (folder / "uploads.json").exists()
    present = make_s3("runs/1")
    assert anyio.run(push_bundle, folder, present).complete
    assert contents(present) == files_of(folder)


@pytest.mark.parametrize(
    ("record", "fault", "requests"),
    [
        (record_blocking, "unavailable", 5),
        (record_async, "cut_request", 5),
        (record_blocking, "cut_answer", 2),
        (record_async, "expired", 2),
    ],
)
def test_faults_on_the_way_to_s3_are_ridden_out(
    tmp_path: Path,
    proxied: Callable[..., S3Store],
    faults: Faults,
    record: Run,
    fault: str,
    requests: int,
) -> None:
    store = proxied()
    faults.plan = [fault] * requests
    record(tmp_path / "b", store)
    assert faults.plan == []
    assert contents(store) == files_of(tmp_path / "b")


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        (record_blocking, "unavailable"),
        (record_async, "cut_request"),
        (record_async, "expired"),
        (record_blocking, "slow"),
    ],
)
def test_faults_until_the_end_cost_a_later_push(
    tmp_path: Path, proxied: Callable[..., S3Store], faults: Faults, record: Run, fault: str
) -> None:
    folder, store = tmp_path / "b", proxied()
    faults.always = fault
    record(folder, store, flush_timeout=0.5)
    assert validate_bundle(folder) == []
    assert (folder / "uploads.json").exists()
    faults.always = "pass"
    faults.released.set()
    assert anyio.run(push_bundle, folder, store).complete
    assert contents(store) == files_of(folder)


@both
def test_a_store_that_comes_back_during_the_run_gets_everything(
    tmp_path: Path, record: Run, caplog: pytest.LogCaptureFixture
) -> None:
    store = UsersStore(fails=lambda call: call <= 4)
    record(tmp_path / "b", store)
    assert store.files == files_of(tmp_path / "b")
    assert "takes the bundle again" in caplog.text


@pytest.mark.parametrize("k", [1, 2, 4, 7])
@both
def test_from_whichever_call_a_store_fails_on_a_push_completes_it(
    tmp_path: Path, record: Run, k: int
) -> None:
    folder, store = tmp_path / "b", UsersStore(fails=lambda call: call >= k)
    record(folder, store, flush_timeout=0.2)
    assert validate_bundle(folder) == []
    assert "manifest.json" not in store.files
    store.fails = lambda _: False
    assert anyio.run(lambda: push_bundle(folder, store, pace=QUICK)).complete
    assert store.files == files_of(folder)


@pytest.mark.parametrize("k", [1, 2, 5, 20])
def test_whichever_single_call_fails_the_session_makes_up_for_it(tmp_path: Path, k: int) -> None:
    store = UsersStore(fails=k.__eq__)
    record_blocking(tmp_path / "b", store)
    assert store.calls > k
    assert store.files == files_of(tmp_path / "b")


@both
def test_a_store_that_hangs_holds_closing_no_longer_than_the_flush_timeout(
    tmp_path: Path, record: Run
) -> None:
    folder, store = tmp_path / "b", UsersStore()
    store.blocked = threading.Event()
    begun = time.monotonic()
    record(folder, store, flush_timeout=0.3)
    assert time.monotonic() - begun < 20  # the store would have held it for a minute
    assert validate_bundle(folder) == []
    assert (folder / "uploads.json").exists()
    store.blocked.set()


def test_no_flush_timeout_means_no_wait_for_the_store(tmp_path: Path) -> None:
    folder, store = tmp_path / "b", memory()
    record_blocking(folder, store, flush_timeout=0.0)
    assert validate_bundle(folder) == []
    assert not store.exists("manifest.json")
    assert anyio.run(push_bundle, folder, store).complete
    assert contents(store) == files_of(folder)


@pytest.mark.parametrize("error", [RuntimeError, SystemExit, StopIteration, MemoryError])
def test_whatever_a_users_store_raises_stays_in_its_thread(
    tmp_path: Path, error: type[BaseException]
) -> None:
    class Odd(UsersStore):
        def _called(self) -> None:
            raise error

    session = record_blocking(tmp_path / "b", Odd(), flush_timeout=0.2)
    assert session.stats.dropped == {}
    assert validate_bundle(tmp_path / "b") == []


def test_a_store_that_cannot_even_say_where_it_is_costs_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Lost(UsersStore):
        @property
        def root_uri(self) -> str:
            raise StoreError("denied")

    record_blocking(tmp_path / "b", Lost())
    assert validate_bundle(tmp_path / "b") == []
    assert "is not copied to its store" in caplog.text


def test_the_agents_exception_comes_out_whatever_the_store_does(tmp_path: Path) -> None:
    store = UsersStore(fails=lambda _: True)
    wrong = LookupError("the agent's own")

    def run() -> None:
        with DebugSession(
            run_id="r", client_name="c", out_dir=tmp_path / "b", store=store, flush_timeout=0.1
        ):
            raise wrong

    with pytest.raises(LookupError) as caught:
        run()
    assert caught.value is wrong


def test_an_unfinished_upload_goes_aside_with_its_bundle(tmp_path: Path) -> None:
    folder = tmp_path / "latest"
    down = UsersStore(fails=lambda _: True)
    record_blocking(folder, down, flush_timeout=0.1, debug_session_id="dbg_first")
    record_blocking(folder, LocalFSStore(folder), debug_session_id="dbg_second")
    assert not (folder / "uploads.json").exists()
    down.fails = lambda _: False
    assert anyio.run(push_bundle, tmp_path / "latest.dbg_first", down).complete
    assert down.files == files_of(tmp_path / "latest.dbg_first")


# -- the ends that nobody chooses

EXITS = """
import sys
from scenarios import png, step
from augur_sdk import DebugSession, S3Store
from augur_sdk.storage import Patience
store = S3Store(
    sys.argv[3], "runs/1", endpoint=sys.argv[2], region="us-east-1", access_key_id="key",
    secret_access_key="secret", patience=Patience(connect_timeout=2, timeout=20, retries=0),
)
session = DebugSession(run_id="r", client_name="c", out_dir=sys.argv[1], capture_mode="full",
                       store=store)
session.__enter__()
for index in range(5):
    session.attach_observation(step_index=index, kind="pre", png_bytes=png(index))
    session.record_step(step(index))
session.flush()
"""

WAITS_FOR_UPLOADS = """
import time
deadline = time.monotonic() + 30
while not session._core.uploads.uploaded and time.monotonic() < deadline:
    time.sleep(0.01)
"""


def child(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    kit = str(Path(__file__).parents[1] / "kit")
    prologue = f"import sys; sys.path.insert(0, {kit!r})\n"
    return subprocess.run(
        [sys.executable, "-c", prologue + code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


@pytest.mark.parametrize("end", ["sys.exit(3)", "1 / 0", ""])
def test_an_exit_without_close_leaves_what_a_push_needs(
    tmp_path: Path, make_s3: Callable[..., S3Store], s3_endpoint: str, bucket: str, end: str
) -> None:
    folder = tmp_path / "b"
    done = child(EXITS + WAITS_FOR_UPLOADS + end, folder, s3_endpoint, bucket)
    assert done.returncode == {"sys.exit(3)": 3, "1 / 0": 1, "": 0}[end], done.stderr
    assert validate_bundle(folder) == []
    assert read_json(folder / "uploads.json")["uploaded"]
    store = make_s3("runs/1")
    assert not store.exists("manifest.json")
    assert anyio.run(push_bundle, folder, store).complete
    assert contents(store) == files_of(folder)


@pytest.mark.parametrize("end", ["sys.exit(3)", "session.close(); sys.exit(3)"])
def test_a_server_that_hangs_does_not_hold_the_process(tmp_path: Path, end: str) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        code = EXITS.replace("store=store)", "store=store, flush_timeout=0.5)")
        begun = time.monotonic()
        done = child(code + end, tmp_path / "b", url, "bucket")
        taken = time.monotonic() - begun
    assert done.returncode == 3, done.stderr
    assert taken < 18  # a request to it would have held for 20 s
    assert validate_bundle(tmp_path / "b") == []
    assert (tmp_path / "b/uploads.json").exists()


def test_a_killed_run_is_recovered_and_pushed(tmp_path: Path) -> None:
    from augur_sdk import recover_bundle

    code = EXITS.split("store = S3Store", maxsplit=1)[0] + (
        "import os\nfrom users_store import UsersStore\n"
        "s = DebugSession(run_id='r', client_name='c', out_dir=sys.argv[1], capture_mode='full',"
        " store=UsersStore()).__enter__()\n"
        "s.record_step(step(0)); s.flush(); os._exit(9)\n"
    )
    assert child(code, tmp_path / "b").returncode == 9
    recover_bundle(tmp_path / "b")
    store = memory()
    assert anyio.run(push_bundle, tmp_path / "b", store).complete
    assert contents(store) == contents(LocalFSStore(tmp_path / "b"))


@pytest.mark.skipif(sys.platform == "win32", reason="fork is POSIX")
def test_a_forked_child_leaves_the_parents_upload_alone(tmp_path: Path) -> None:
    code = EXITS.split("store = S3Store", maxsplit=1)[0] + (
        "import os\nfrom users_store import UsersStore\nfrom scenarios import files_of\n"
        "from pathlib import Path\nstore = UsersStore()\n"
        "with DebugSession(run_id='r', client_name='c', out_dir=sys.argv[1], capture_mode='full',"
        " store=store, flush_timeout=30) as session:\n"
        "    session.record_step(step(0))\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        session.record_step(step(1)); session.close(); os._exit(0)\n"
        "    os.waitpid(pid, 0)\n"
        "print(store.files == files_of(Path(sys.argv[1])))\n"
    )
    done = child(f"import warnings; warnings.simplefilter('ignore')\n{code}", tmp_path / "b")
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
