from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from scenarios import STARTED, event, files_of, png, read_json, step

from augur_sdk import AsyncDebugSession, DebugSession


def open_session(folder: Path, **options: Any) -> DebugSession:
    options.setdefault("capture_mode", "full")
    return DebugSession(run_id="run_1", client_name="agent", out_dir=folder, **options)


def open_async(folder: Path, **options: Any) -> AsyncDebugSession:
    options.setdefault("capture_mode", "full")
    return AsyncDebugSession(run_id="run_1", client_name="agent", out_dir=folder, **options)


def test_a_run_becomes_the_bundle_of_the_contract_and_nothing_else(tmp_path: Path) -> None:
    with open_session(tmp_path / "b") as session:
        path = session.attach_observation(step_index=0, kind="pre", png_bytes=png())
        session.record_step(step(0, observation_pre=path))
        session.record_event(event(0))
        session.record_event(event(None))
    found = {name for name in files_of(tmp_path / "b") if not name.startswith("schema/")}
    assert found == {
        "AGENT.md",
        "events/0000.jsonl",
        "events/run.jsonl",
        "manifest.json",
        "screenshots/0000_pre.json",
        "screenshots/0000_pre.png",
        "steps/0000.json",
        "trace.json",
    }


@pytest.mark.anyio
async def test_the_async_class_makes_the_same_bundle(tmp_path: Path) -> None:
    fixed = {"started_at": STARTED, "debug_session_id": "dbg_same"}

    def record() -> None:
        with open_session(tmp_path / "a", **fixed) as blocking:
            blocking.record_step(step(0))
            blocking.record_event(event(0))
            blocking.attach_observation(step_index=0, kind="post", png_bytes=png())

    await anyio.to_thread.run_sync(record)
    async with open_async(tmp_path / "b", **fixed) as session:
        await session.record_step(step(0))
        await session.record_event(event(0))
        await session.attach_observation(step_index=0, kind="post", png_bytes=png())
    ended_differs = {"trace.json", "manifest.json", "AGENT.md"}
    one, other = files_of(tmp_path / "a"), files_of(tmp_path / "b")
    assert one.keys() == other.keys()
    assert {k: v for k, v in one.items() if k not in ended_differs} == {
        k: v for k, v in other.items() if k not in ended_differs
    }


def test_recording_before_opening_and_after_closing_is_a_runtime_error(tmp_path: Path) -> None:
    session = open_session(tmp_path / "b")
    with pytest.raises(RuntimeError, match="before the session was opened"):
        session.record_step(step(0))
    with pytest.raises(RuntimeError, match="before the session was opened"):
        session.close()
    with session:
        session.record_step(step(0))
    with pytest.raises(RuntimeError, match="after the session was closed"):
        session.record_step(step(1))


def test_a_second_close_returns_the_same_manifest(tmp_path: Path) -> None:
    with open_session(tmp_path / "b") as session:
        first = session.close("failed")
    assert session.close() is first
    assert session.manifest is first
    assert read_json(tmp_path / "b/trace.json")["session"]["status"] == "failed"


LONG_AGO = "2020-05-06T07:08:09Z"


@pytest.mark.anyio
async def test_a_run_of_another_time_can_say_when_it_ended(tmp_path: Path) -> None:
    def blocking() -> None:
        with open_session(tmp_path / "blocking", started_at=STARTED) as session:
            session.close("failed", ended_at=LONG_AGO)

    await anyio.to_thread.run_sync(blocking)
    async with open_async(tmp_path / "async", started_at=STARTED) as later:
        await later.close(ended_at=LONG_AGO)
    for folder, status in (("blocking", "failed"), ("async", "succeeded")):
        trace = await anyio.to_thread.run_sync(read_json, tmp_path / folder / "trace.json")
        record = trace["session"]
        assert (record["ended_at"], record["status"]) == (LONG_AGO, status)


def test_an_end_that_is_no_text_is_refused_and_the_session_stays_open(tmp_path: Path) -> None:
    with open_session(tmp_path / "b") as session:
        with pytest.raises(ValueError, match="ended_at"):
            session.close(ended_at=1588748889)  # type: ignore[arg-type]  # the subject of the test
        session.record_step(step(0))
    assert read_json(tmp_path / "b/trace.json")["session"]["ended_at"] > LONG_AGO


def test_a_session_cannot_be_opened_twice(tmp_path: Path) -> None:
    with open_session(tmp_path / "b") as session, pytest.raises(RuntimeError, match="before"):
        session.__enter__()


@pytest.mark.parametrize(
    ("during", "closing", "raises", "expected"),
    [
        (None, None, False, "succeeded"),
        (None, None, True, "halted"),
        ("failed", None, False, "failed"),
        ("failed", None, True, "failed"),
        (None, "cancelled", False, "cancelled"),
        ("failed", "cancelled", False, "cancelled"),
    ],
)
def test_the_terminal_status_is_what_was_said_last(
    tmp_path: Path, during: str | None, closing: str | None, raises: bool, expected: str
) -> None:
    def run() -> None:
        with open_session(tmp_path / "b") as session:
            if during:
                session.set_status(during)
            if closing:
                session.close(closing)
            if raises:
                raise LookupError("the agent's own")

    if raises:
        with pytest.raises(LookupError):
            run()
    else:
        run()
    assert read_json(tmp_path / "b/trace.json")["session"]["status"] == expected


def test_off_writes_manifest_trace_page_and_schemas_only(tmp_path: Path) -> None:
    with open_session(tmp_path / "b", capture_mode="off") as session:
        assert session.attach_observation(step_index=3, kind="pre", png_bytes=png())
        session.record_step(step(0))
        session.record_event(event(0))
    found = {name for name in files_of(tmp_path / "b") if not name.startswith("schema/")}
    assert found == {"AGENT.md", "manifest.json", "trace.json"}
    assert read_json(tmp_path / "b/trace.json")["steps"] == []


def test_a_session_that_is_off_because_nobody_chose_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("augur_sdk.session.arguments._said_off", False)
    for name in "ab":
        DebugSession(run_id="r", client_name="c", out_dir=tmp_path / name)
    DebugSession(run_id="r", client_name="c", out_dir=tmp_path / "c", capture_mode="off")
    assert caplog.text.count("because nobody chose") == 1


def test_a_known_step_id_replaces_the_step(tmp_path: Path) -> None:
    with open_session(tmp_path / "b") as session:
        session.record_step(step(0, status="running"))
        session.flush()
        session.record_step(step(0, status="succeeded", intent="done"))
    trace = read_json(tmp_path / "b/trace.json")
    assert [(s["status"], s["intent"]) for s in trace["steps"]] == [("succeeded", "done")]
    assert read_json(tmp_path / "b/steps/0000.json")["status"] == "succeeded"


def test_iterations_get_a_file_each_and_are_counted(tmp_path: Path) -> None:
    with open_session(tmp_path / "b") as session:
        session.record_step(step(0))
        session.flush()
        session.record_step_iteration("s0", step(9, step_id="s0-again"))
        with pytest.warns(DeprecationWarning, match="record_step_iteration"):
            session.record_step(step(0, step_id="s0-third"))
        with pytest.raises(ValueError, match="no step stands"):
            session.record_step_iteration(5, step(5, step_id="x"))
        with pytest.raises(ValueError, match="step_id of its own"):
            session.record_step_iteration(0, step(0))
    root = tmp_path / "b"
    assert not (root / "steps/0000.json").exists()
    records = [read_json(path) for path in (root / "steps/0000").iterdir()]
    assert {r["step_id"] for r in records} == {"s0", "s0-again", "s0-third"}
    assert {r["step_index"] for r in records} == {0}
    (canonical,) = read_json(root / "trace.json")["steps"]
    assert (canonical["step_id"], canonical["step_iterations"]) == ("s0", 3)


def test_the_callers_dict_is_neither_mutated_nor_shared(tmp_path: Path) -> None:
    given = step(0)
    before = step(0)
    with open_session(tmp_path / "b") as session:
        session.set_capture_mode("trace")
        session.record_step(given)
        assert given == before
        given["action"]["params"]["x"] = 999
    assert read_json(tmp_path / "b/steps/0000.json")["action"]["params"]["x"] == 0


def test_events_are_sorted_however_they_arrive(tmp_path: Path) -> None:
    late, early = "2026-01-01T00:00:09Z", "2026-01-01T00:00:01Z"
    with open_session(tmp_path / "b") as session:
        for number in range(150):
            session.record_event(event(None, f"{number:04d}", ts=late))
            if number % 50 == 0:
                session.flush()
        session.record_event(event(None, "first", ts=early))
    lines = (tmp_path / "b/events/run.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 151
    assert '"summary":"first"' in lines[0]
    assert lines == sorted(lines, key=read_summary)


def read_summary(line: str) -> tuple[str, str]:
    import json

    record = json.loads(line)
    return record["ts"], record["summary"]


def test_another_runs_bundle_in_the_folder_is_moved_aside_whole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "latest"
    with open_session(folder, debug_session_id="dbg_first") as session:
        session.record_step(step(0))
    before = files_of(folder)
    (folder / "notes.txt").write_text("the user's own", encoding="utf-8")
    with open_session(folder, debug_session_id="dbg_second"):
        pass
    assert files_of(tmp_path / "latest.dbg_first") == before
    assert (folder / "notes.txt").exists()
    assert read_json(folder / "manifest.json")["debug_session_id"] == "dbg_second"
    assert "moved" in caplog.text


def test_two_live_sessions_cannot_share_a_folder(tmp_path: Path) -> None:
    with (
        open_session(tmp_path / "b") as session,
        pytest.raises(RuntimeError, match="another live session"),
        open_session(tmp_path / "b"),
    ):
        pass
    assert session.manifest is not None


@pytest.mark.parametrize("klass", [DebugSession, AsyncDebugSession])
def test_constructor_arguments_that_make_no_sense_are_value_errors(
    tmp_path: Path, klass: type[DebugSession | AsyncDebugSession]
) -> None:
    good: dict[str, Any] = {"run_id": "r", "client_name": "c", "out_dir": tmp_path}
    for wrong in (
        {"run_id": ""},
        {"client_name": None},
        {"capture_mode": "everything"},
        {"debug_session_id": "no-prefix"},
        {"tags": "a=b"},
    ):
        with pytest.raises(ValueError, match=r"expected|is "):
            klass(**{**good, **wrong})


@pytest.mark.may_block
def test_the_blocking_class_works_on_a_thread_with_a_running_loop(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("augur_sdk.session.blocking._hinted", False)
    caplog.set_level(logging.INFO, "augur_sdk")

    async def notebook_cell() -> None:
        for name in "ab":
            with open_session(tmp_path / name) as session:
                session.record_step(step(0))

    with_blocking_allowed(notebook_cell)
    assert caplog.text.count("AsyncDebugSession") == 1
    assert read_json(tmp_path / "b/manifest.json")["step_count"] == 1


def with_blocking_allowed(function: Any) -> None:
    """Run on a loop in a thread of its own, where the blocking class may block."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            anyio.run(function)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert not failed, failed


def test_fields_of_the_session_land_in_its_record(tmp_path: Path) -> None:
    with open_session(tmp_path / "b", tags={"team": "a"}, client_version="1.2") as session:
        session.add_tag("env", "test")
        session.set_live_endpoints(video_url="https://v.example")
        session.set_live_endpoints(status_url="https://s.example")
        session.set_capture_mode("screenshots")
        session.record_step(step(0))
        session.record_step(step(1, capture_mode="trace"))
    trace = read_json(tmp_path / "b/trace.json")
    assert trace["session"]["tags"] == {"team": "a", "env": "test"}
    assert trace["session"]["live"].keys() == {"status_url", "video_url"}
    assert trace["session"]["client"] == {"name": "agent", "version": "1.2"}
    assert [s["capture_mode"] for s in trace["steps"]] == ["screenshots", "trace"]
    assert trace["session"]["capture_mode"] == "full"


def test_unfinished_sessions_are_resumed_by_their_id(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import os, sys; sys.path.insert(0, sys.argv[2]); from scenarios import step, event\n"
        "from augur_sdk import DebugSession\n"
        "s = DebugSession(run_id='run_1', client_name='agent', out_dir=sys.argv[1], "
        "capture_mode='full', debug_session_id='dbg_again', tags={'a': '1'})\n"
        "s.__enter__(); s.record_step(step(0)); s.record_step(step(1)); s.record_event(event(0))\n"
        "s.flush(); os._exit(9)\n"
    )
    kit = str(Path(__file__).parents[1] / "kit")
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "b"), kit], check=False)
    assert done.returncode == 9
    with open_session(tmp_path / "b", debug_session_id="dbg_again", tags={"b": "2"}) as session:
        session.record_step(step(1, intent="told again"))
        session.record_step(step(2))
        with session.step("click") as block:
            pass
        assert block.index == 3
    trace = read_json(tmp_path / "b/trace.json")
    assert [s["step_index"] for s in trace["steps"]] == [0, 1, 2, 3]
    assert trace["steps"][1]["intent"] == "told again"
    assert trace["session"]["tags"] == {"a": "1", "b": "2"}
    assert (tmp_path / "b/events/0000.jsonl").exists()
    assert not (tmp_path / "b/journal.jsonl").exists()
