"""A session with a DSN: what the server gets, what is left on disk, and who sends it later."""

from __future__ import annotations

import gc
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from scenarios import event, files_of, png, read_json, step

from augur_sdk import AsyncDebugSession, DebugSession, recover_bundle
from augur_sdk.pipeline.server_push import PushReport, push_run
from augur_sdk.streaming import DSN
from augur_sdk.testing import CaptureServer, FaultyServer
from augur_sdk.validation import validate_bundle

RUN = "run/1"


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer(hold=5.0) as faulty:
        yield faulty


def open_session(folder: Path, server: CaptureServer, **options: Any) -> DebugSession:
    given = {"run_id": RUN, "capture_mode": "full", "dsn": server.dsn, **options}
    return DebugSession(client_name="agent", client_version="1.2", out_dir=folder, **given)


def record(session: DebugSession, steps: int = 3, first: int = 0) -> None:
    for index in range(first, first + steps):
        picture = session.attach_observation(step_index=index, kind="pre", png_bytes=png(index))
        session.record_event(event(index))
        session.record_step(step(index, status="running"))
        session.record_step(step(index, observation_pre=picture))


def push(folder: Path, server: CaptureServer, **options: Any) -> PushReport:
    async def main() -> PushReport:
        return await push_run(folder, DSN.parse(server.dsn), **options)

    return anyio.run(main)


def is_clean(folder: Path) -> bool:
    left = {path.name for path in folder.iterdir()} & {"journal.jsonl", "delivery.json"}
    return not left


def test_the_server_has_the_whole_run_and_the_folder_is_a_bundle_and_nothing_else(
    server: FaultyServer, tmp_path: Path
) -> None:
    with open_session(tmp_path / "b", server) as session:
        record(session)
        session.set_costs(total_usd=0.5)
        session.append_log("started\n")
        session.mark_for_eval(1, "odd")
        effect = session.declare_side_effect(2, "orders/1", "submit")
        session.commit_side_effect(effect)
        session.record_reasoning(0, "because")
        session.finalize_outcome()
    run = server.runs[RUN]
    assert run.steps.keys() == {0, 1, 2}
    assert all(found["status"] == "succeeded" for found in run.steps.values())
    assert run.screenshots == {(index, "pre"): png(index) for index in range(3)}
    assert sorted(found["step_index"] for found in run.events) == [0, 1, 2]
    assert run.costs == {"total_usd": 0.5}
    assert run.logs == {"run": "started\n"}
    assert [found["status"] for found in run.side_effects] == ["intent_only", "committed"]
    assert len(run.eval_candidates) == len(run.reasoning) == len(run.outcomes) == 1
    assert run.trace == read_json(tmp_path / "b" / "trace.json")
    assert run.manifest == session.manifest
    assert session.stats.pending == 0
    stats = session.stats
    assert stats.superseded > 0  # the steps while they were running
    assert stats.delivered + stats.superseded == stats.stored == stats.accepted
    assert is_clean(tmp_path / "b")
    assert validate_bundle(tmp_path / "b") == []


def test_a_viewer_knows_the_run_before_its_first_step(server: FaultyServer, tmp_path: Path) -> None:
    with open_session(tmp_path / "b", server, tags={"who": "me"}) as session:
        server.wait_for(lambda: server.run(RUN).trace)
        opened = server.run(RUN).trace
        assert opened is not None
        assert opened["steps"] == []
        session.add_tag("phase", "two")
        server.wait_for(lambda: (server.run(RUN).trace or {})["session"]["tags"].get("phase"))


def test_a_session_says_that_it_is_there_as_soon_as_it_is_constructed(
    server: FaultyServer, tmp_path: Path
) -> None:
    session = open_session(tmp_path / "b", server)
    beat = server.wait_for(lambda: server.heartbeats[:1])[0]
    assert beat == {
        "client_id": session.debug_session_id,
        "client_name": "agent",
        "client_version": "1.2",
        "capture_mode": "full",
        "run_id": RUN,
        "last_event": "session_opened",
    }
    del session
    gc.collect()
    server.wait_for(lambda: server.connections == 0)


def test_the_async_class_streams_as_well(server: FaultyServer, tmp_path: Path) -> None:
    async def main() -> AsyncDebugSession:
        session = AsyncDebugSession(
            run_id=RUN,
            client_name="agent",
            out_dir=tmp_path / "b",
            capture_mode="full",
            dsn=server.dsn,
        )
        async with session:
            await session.attach_observation(step_index=0, kind="post", png_bytes=png())
            await session.record_step(step(0))
        return session

    session = anyio.run(main)
    assert server.runs[RUN].steps.keys() == {0}
    assert server.runs[RUN].manifest == session.manifest
    assert session.stats.pending == 0


def test_nothing_of_a_step_is_sent_before_the_step_says_whether_it_is_sensitive(
    server: FaultyServer, tmp_path: Path
) -> None:
    with open_session(tmp_path / "b", server) as session:
        session.attach_observation(step_index=0, kind="pre", png_bytes=png(7))
        session.record_event(event(0, "typed hunter2"))
        session.record_reasoning(0, "the password is hunter2")
        session.record_step(step(1))
        server.wait_for(lambda: 1 in server.run(RUN).steps)
        assert server.received("POST", "/pre") == []
        session.record_step(step(0, sensitive=True))
    assert server.received("POST", "/pre") == []
    assert not any(b"hunter2" in request.body for request in server.requests)
    assert session.stats.pending == 0
    assert is_clean(tmp_path / "b")


def test_pictures_of_a_step_that_was_never_recorded_are_sent_at_close(
    server: FaultyServer, tmp_path: Path
) -> None:
    with open_session(tmp_path / "b", server) as session:
        session.attach_observation(step_index=4, kind="pre", png_bytes=png(4))
    assert server.runs[RUN].screenshots == {(4, "pre"): png(4)}


def test_what_is_undelivered_stays_in_the_journal_and_the_note_says_what(
    server: FaultyServer, tmp_path: Path
) -> None:
    with server.down(), open_session(tmp_path / "b", server, flush_timeout=0.1) as session:
        record(session, 2)
    note = read_json(tmp_path / "b" / "delivery.json")
    assert note["sent"] == 0
    assert note["pending"] == session.stats.pending + 2  # the trace and the manifest
    assert note["server"] == DSN.parse(server.dsn).base_url
    assert session.stats.stored == session.stats.delivered + session.stats.pending
    assert validate_bundle(tmp_path / "b") == []


def test_a_push_sends_the_rest_and_leaves_a_bundle_and_nothing_else(
    server: FaultyServer, tmp_path: Path
) -> None:
    with server.down(), open_session(tmp_path / "b", server, flush_timeout=0.1) as session:
        record(session)
    seen: list[tuple[int, int]] = []
    report = push(tmp_path / "b", server, progress=lambda done, of: seen.append((done, of)))
    assert report.pending == 0
    assert seen[-1] == (report.sent, report.sent)
    run = server.runs[RUN]
    assert all(found["status"] == "succeeded" for found in run.steps.values())
    assert run.screenshots.keys() == {(index, "pre") for index in range(3)}
    assert run.manifest == session.manifest
    assert is_clean(tmp_path / "b")


def test_a_push_that_was_broken_off_goes_on_where_it_stopped(
    server: FaultyServer, tmp_path: Path
) -> None:
    with server.down(), open_session(tmp_path / "b", server, flush_timeout=0.1) as session:
        record(session, 10)
    server.script(status=503, path=r"/steps/[5-9]$")
    first = push(tmp_path / "b", server, patience=2.0)
    assert 0 < first.pending < first.pending + first.sent
    sent = len(server.requests)
    server.heal()
    assert push(tmp_path / "b", server).pending == 0
    again = [request.path for request in server.requests[sent:]]
    assert not any(path.endswith("/steps/0") for path in again)
    assert server.runs[RUN].manifest == session.manifest
    assert is_clean(tmp_path / "b")


def test_a_bundle_without_a_journal_can_be_pushed_too(server: FaultyServer, tmp_path: Path) -> None:
    with open_session(tmp_path / "b", server, dsn="") as session:
        record(session)
        session.record_event(event(None))
        session.record_modelio({"request": {}, "response": {}}, step_index=1, validate=False)
    before = files_of(tmp_path / "b")
    assert push(tmp_path / "b", server).pending == 0
    run = server.runs[RUN]
    assert run.trace == read_json(tmp_path / "b" / "trace.json")
    assert run.manifest == session.manifest
    assert len(run.events) == 4
    assert run.screenshots.keys() == {(index, "pre") for index in range(3)}
    assert len(run.modelio) == 1
    assert files_of(tmp_path / "b") == before


def test_the_next_session_sends_what_an_earlier_one_left_beside_it(
    server: FaultyServer, tmp_path: Path
) -> None:
    with (
        server.down(),
        open_session(tmp_path / "a", server, run_id="earlier", flush_timeout=0.1) as earlier,
    ):
        record(earlier)
    with open_session(tmp_path / "b", server) as session:
        record(session, 1)
        server.wait_for(lambda: server.run("earlier").manifest)
        server.wait_for(lambda: is_clean(tmp_path / "a"))
    assert server.runs["earlier"].manifest == earlier.manifest
    assert server.runs["earlier"].steps.keys() == {0, 1, 2}


def test_what_was_left_for_another_server_is_not_sent_to_this_one(
    server: FaultyServer, tmp_path: Path
) -> None:
    with CaptureServer() as other:
        pass
    with open_session(tmp_path / "a", other, run_id="other", flush_timeout=0.1) as earlier:
        record(earlier, 1)
    with open_session(tmp_path / "b", server) as session:
        record(session, 1)
    assert "other" not in server.runs
    assert not is_clean(tmp_path / "a")


def test_a_killed_run_keeps_its_journal_until_the_server_has_it(
    server: FaultyServer, tmp_path: Path
) -> None:
    child = f"""
        import os
        from scenarios import step
        from augur_sdk import DebugSession
        session = DebugSession(run_id={RUN!r}, client_name="agent", out_dir={str(tmp_path / "b")!r},
                               capture_mode="full", dsn={server.dsn!r})
        session.__enter__()
        session.record_step(step(0))
        session.flush()
        os._exit(9)
    """
    kit = str(Path(__file__).parents[1] / "kit")
    with server.down():
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(child)], check=False, env={"PYTHONPATH": kit}
        )
    assert recover_bundle(tmp_path / "b").status == "halted"
    assert recover_bundle(tmp_path / "b").recovered is False
    assert push(tmp_path / "b", server).pending == 0
    assert server.runs[RUN].steps.keys() == {0}
    trace = server.runs[RUN].trace
    assert trace is not None
    assert trace["session"]["status"] == "halted"
    assert is_clean(tmp_path / "b")


def test_the_next_session_finishes_and_sends_what_a_killed_one_left_beside_it(
    server: FaultyServer, tmp_path: Path
) -> None:
    child = f"""
        import os
        from scenarios import step
        from augur_sdk import DebugSession
        session = DebugSession(run_id="killed", client_name="agent", capture_mode="full",
                               out_dir={str(tmp_path / "a")!r}, dsn={server.dsn!r})
        session.__enter__()
        session.record_step(step(0))
        session.flush()
        os._exit(9)
    """
    kit = str(Path(__file__).parents[1] / "kit")
    with server.down():
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(child)], check=False, env={"PYTHONPATH": kit}
        )
    with open_session(tmp_path / "b", server) as session:
        record(session, 1)
        server.wait_for(lambda: server.run("killed").manifest)
        server.wait_for(lambda: is_clean(tmp_path / "a"))
    assert server.runs["killed"].manifest == read_json(tmp_path / "a" / "manifest.json")
    assert read_json(tmp_path / "a" / "trace.json")["session"]["status"] == "halted"
    assert validate_bundle(tmp_path / "a") == []


def test_a_session_that_resumes_does_not_send_again_what_the_server_has(
    server: FaultyServer, tmp_path: Path
) -> None:
    child = f"""
        import os, sys
        from scenarios import step
        from augur_sdk import DebugSession
        session = DebugSession(run_id={RUN!r}, client_name="agent", out_dir={str(tmp_path / "b")!r},
                               capture_mode="full", dsn={server.dsn!r}, debug_session_id="dbg_same")
        session.__enter__()
        session.record_step(step(0))
        while session.flush().pending:
            pass
        journal = session.out_dir / "journal.jsonl"
        while b'"open":[]' not in journal.read_bytes():
            session.flush()
        os._exit(9)
    """
    kit = str(Path(__file__).parents[1] / "kit")
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(child)], check=False, env={"PYTHONPATH": kit}
    )
    assert server.runs[RUN].steps.keys() == {0}
    with open_session(tmp_path / "b", server, debug_session_id="dbg_same") as session:
        record(session, 1, first=1)
    assert len(server.received("PUT", "/steps/0")) == 1
    assert server.runs[RUN].steps.keys() == {0, 1}
    assert session.stats.pending == 0


def test_an_off_session_sends_heartbeats_and_no_records(
    server: FaultyServer, tmp_path: Path
) -> None:
    with open_session(tmp_path / "b", server, capture_mode="off") as session:
        session.record_step(step(0))
        server.wait_for(lambda: server.heartbeats)
    assert {request.path for request in server.requests} == {"/heartbeat"}
    assert is_clean(tmp_path / "b")


def test_nothing_runs_any_more_after_close(server: FaultyServer, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with open_session(tmp_path / "b", server) as session:
        record(session, 1)
    server.wait_for(lambda: server.connections == 0)
    ours = {thread.name for thread in set(threading.enumerate()) - before}
    assert not any(name.startswith("augur") for name in ours)


@pytest.mark.anyio
async def test_constructing_and_using_a_session_with_a_dsn_blocks_no_event_loop(
    server: FaultyServer, tmp_path: Path
) -> None:
    session = AsyncDebugSession(
        run_id=RUN, client_name="a", out_dir=tmp_path / "b", capture_mode="full", dsn=server.dsn
    )
    async with session:
        await session.checkpoint()
        await session.record_step(step(0))
        stats = await session.flush(10, delivered=True)
        assert stats.pending == 0
    assert session.stats.pending == 0
    assert server.runs[RUN].steps.keys() == {0}
