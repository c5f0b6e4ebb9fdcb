"""An operator and a session: what is carried out, recorded, waited for and answered."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import orjson
import pytest
from scenarios import read_json, step

from augur_sdk import AsyncDebugSession, DebugSession
from augur_sdk.errors import RunKilled
from augur_sdk.intervention import GatePolicy, InterventionChannel, Permit
from augur_sdk.testing import CaptureServer, FaultyServer

RUN = "run-1"
ORDER = {"type": "click", "target": "Place order"}


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer(hold=5.0) as faulty:
        yield faulty


@pytest.fixture
def run_agent(anyio_backend: tuple[str, dict[str, Any]]) -> Callable[[Callable[[], Any]], Any]:
    """Runs an async agent on each kind of event loop."""
    name, chosen = anyio_backend
    return lambda main: anyio.run(main, backend=name, backend_options=chosen)


def options(folder: Path, server: CaptureServer, **more: Any) -> dict[str, Any]:
    given = {"capture_mode": "full", "dsn": server.dsn, **more}
    return {"run_id": RUN, "client_name": "agent", "out_dir": folder, **given}


def summaries(folder: Path) -> list[str]:
    return [found["summary"] for found in events(folder)]


def events(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "events" / "run.jsonl").read_bytes().splitlines()
    return [orjson.loads(line) for line in lines]


def wait_until(session: DebugSession | AsyncDebugSession, condition: Callable[[Any], bool]) -> None:
    """Wait, on this thread, until the session's gate is in a state."""
    gate = session._core.intervention.gate
    changed = threading.Event()
    with gate.subscribed(changed.set):
        while not condition(gate):
            assert changed.wait(10.0)
            changed.clear()


class Adapter:
    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.called = threading.Condition()

    def _call(self, *what: Any) -> None:
        with self.called:
            self.calls.append(what)
            self.called.notify_all()

    def on_pause(self) -> None:
        self._call("pause")

    def on_resume(self) -> None:
        self._call("resume")

    def on_kill(self) -> None:
        self._call("kill")

    def on_inject_hint(self, text: str) -> None:
        self._call("hint", text)

    def on_action_override(self, coords: dict[str, float], provenance: str) -> None:
        self._call("override", coords, provenance)

    def has(self, count: int) -> list[tuple[Any, ...]]:
        with self.called:
            assert self.called.wait_for(lambda: len(self.calls) >= count, 10.0)
            return self.calls


def test_without_a_dsn_there_is_no_channel_and_a_checkpoint_returns_at_once(
    tmp_path: Path,
) -> None:
    with DebugSession(
        run_id=RUN, client_name="a", out_dir=tmp_path / "b", capture_mode="full"
    ) as session:
        assert session.bind_intervention(Adapter()) is None
        assert not session.checkpoint()
        assert session.gate(ORDER).outcome == "deny"
        assert session.gate(ORDER, reversibility="reversible").allowed


def test_every_command_calls_its_hook_and_is_an_event_of_the_run(
    server: FaultyServer, tmp_path: Path
) -> None:
    adapter = Adapter()
    with DebugSession(**options(tmp_path / "b", server)) as session:
        channel = session.bind_intervention(adapter, poll_timeout=5.0)
        assert isinstance(channel, InterventionChannel)
        server.push_command(RUN, "pause", operator_id="ada")
        server.push_command(RUN, "inject_hint", {"text": "look left"}, "ada")
        server.push_command(RUN, "override_action", {"coordinates": {"x": 3, "y": 4}}, "ada")
        server.push_command(RUN, "resume", operator_id="ada")
        calls = adapter.has(4)
        assert calls == [
            ("pause",),
            ("hint", "look left"),
            ("override", {"x": 3, "y": 4}, "human_override"),
            ("resume",),
        ]
        assert channel.received == 4
    found = {event["detail"]["command"]: event["detail"] for event in events(tmp_path / "b")}
    assert found.keys() == {"pause", "inject_hint", "override_action", "resume"}
    assert {detail["operator_id"] for detail in found.values()} == {"ada"}
    assert found["override_action"]["provenance"] == "human_override"


def test_async_hooks_run_on_the_agents_loop(
    server: FaultyServer, tmp_path: Path, run_agent: Callable[..., Any]
) -> None:
    seen: list[Any] = []

    class AsyncAdapter:
        async def on_inject_hint(self, text: str) -> None:
            seen.append((text, threading.current_thread()))
            done.set()

    async def main() -> None:
        async with AsyncDebugSession(**options(tmp_path / "b", server)) as session:
            assert session.bind_intervention(AsyncAdapter()) is not None
            server.push_command(RUN, "inject_hint", {"text": "hello"})
            with anyio.fail_after(10):
                await done.wait()

    done = anyio.Event()
    run_agent(main)
    assert seen == [("hello", threading.current_thread())]


def test_a_kill_aborts_declared_effects_first_and_ends_the_run_as_halted(
    server: FaultyServer, tmp_path: Path
) -> None:
    adapter = Adapter()
    session = DebugSession(**options(tmp_path / "b", server))

    def run() -> None:
        with session:
            session.bind_intervention(adapter)
            session.record_step(step(0))
            session.declare_side_effect(0, "orders/1", "submit", side_effect_id="e1")
            server.push_command(RUN, "kill", operator_id="ada")
            adapter.has(1)
            session.checkpoint()

    with pytest.raises(RunKilled, match="ada"):
        run()
    effect = read_json(tmp_path / "b" / "side_effects" / "0000-e1.json")
    assert effect["status"] == "aborted"
    assert read_json(tmp_path / "b" / "trace.json")["session"]["status"] == "halted"
    assert [found["status"] for found in server.runs[RUN].side_effects][-1] == "aborted"


def test_a_kill_ends_a_model_call_at_once(
    server: FaultyServer, tmp_path: Path, run_agent: Callable[..., Any]
) -> None:
    async def main() -> None:
        session = AsyncDebugSession(**options(tmp_path / "b", server))
        async with session:
            await waiting(session)

    async def waiting(session: AsyncDebugSession) -> None:
        async with session.killable():
            server.push_command(RUN, "kill")
            await anyio.sleep(30)

    async def bounded() -> None:
        with anyio.fail_after(10):
            await main()

    with pytest.raises(RunKilled):
        run_agent(bounded)
    assert read_json(tmp_path / "b" / "trace.json")["session"]["status"] == "halted"
    assert "operator command: kill" in summaries(tmp_path / "b")


def test_a_paused_agent_waits_at_its_checkpoint_and_gets_what_arrived(
    server: FaultyServer, tmp_path: Path
) -> None:
    with DebugSession(**options(tmp_path / "b", server)) as session:
        assert not session.checkpoint()
        server.push_command(RUN, "pause")
        wait_until(session, lambda gate: gate.state == "paused")
        with operator(session, server):
            checkpoint = session.checkpoint()
    assert [hint.text for hint in checkpoint.hints] == ["go on"]
    assert checkpoint.overrides[0].coordinates == {"x": 1, "y": 2}


@contextmanager
def operator(session: DebugSession, server: CaptureServer) -> Iterator[None]:
    """Gives a hint, a point and a resume once the agent waits."""

    def speak() -> None:
        wait_until_waited_for(session)
        server.push_command(RUN, "inject_hint", {"text": "go on"})
        server.push_command(RUN, "override_action", {"coordinates": {"x": 1, "y": 2}})
        server.push_command(RUN, "resume")

    thread = threading.Thread(target=speak)
    thread.start()
    try:
        yield
    finally:
        thread.join(10.0)


def wait_until_waited_for(session: DebugSession) -> None:
    gate, waiting = session._core.intervention.gate, threading.Event()
    while not gate._listeners:
        waiting.wait(0.005)


def approve(server: CaptureServer, kind: str = "approve", **payload: Any) -> dict[str, Any]:
    """Wait for a pending approval on the server, and answer it."""

    def pending() -> list[dict[str, Any]]:
        found = [event["detail"] for event in server.run(RUN).events if "detail" in event]
        asked = [detail for detail in found if "approval" in detail]
        return [detail for detail in asked if detail["approval"]["state"] == "pending"]

    detail = server.wait_for(pending)[-1]
    named = {name: detail["approval"][name] for name in ("approval_id", "action_hash")}
    server.push_command(RUN, kind, {**named, **payload}, "ada")
    return detail


def answered(server: CaptureServer, ask: Callable[[], Permit], kind: str, **payload: Any) -> Permit:
    thread = threading.Thread(target=approve, args=(server, kind), kwargs=payload)
    thread.start()
    try:
        return ask()
    finally:
        thread.join(10.0)


@pytest.mark.parametrize(
    ("kind", "payload", "outcome", "action"),
    [
        ("approve", {}, "allow", ORDER),
        ("deny", {"reason": "too dear"}, "deny", ORDER),
        ("edit", {"action": {"type": "wait"}}, "allow", {"type": "wait"}),
    ],
)
def test_an_approval_point_waits_for_the_operators_word(
    server: FaultyServer,
    tmp_path: Path,
    kind: str,
    payload: dict[str, Any],
    outcome: str,
    action: dict[str, Any],
) -> None:
    with DebugSession(**options(tmp_path / "b", server)) as session:
        permit = answered(server, lambda: session.gate(ORDER, step_index=3), kind, **payload)
    assert permit.outcome == outcome
    assert permit.action == action
    assert permit.operator_id == "ada"


def test_an_approval_point_of_the_async_class_leaves_the_loop_free(
    server: FaultyServer, tmp_path: Path, run_agent: Callable[..., Any]
) -> None:
    async def main() -> Permit:
        async with AsyncDebugSession(**options(tmp_path / "b", server)) as session:
            thread = threading.Thread(target=approve, args=(server,))
            thread.start()
            with anyio.fail_after(10):
                return await session.gate(ORDER)

    assert run_agent(main).allowed


def test_nobody_answers_in_time_and_the_policy_says_what_then(
    server: FaultyServer, tmp_path: Path
) -> None:
    with DebugSession(**options(tmp_path / "b", server)) as session:
        permit = session.gate(ORDER, policy=GatePolicy(timeout=0.05))
    assert permit.outcome == "deny"


def test_a_committed_effect_is_never_allowed_again_also_after_a_resume(tmp_path: Path) -> None:
    folder = str(tmp_path / "b")
    child = f"""
        import os
        from augur_sdk import DebugSession
        from augur_sdk.intervention import GatePolicy
        session = DebugSession(run_id={RUN!r}, client_name="a", out_dir={folder!r}, dsn="",
                               capture_mode="full", debug_session_id="dbg_same")
        session.__enter__()
        allow = GatePolicy(irreversible="allow")
        permit = session.gate({ORDER!r}, key="order", policy=allow)
        assert permit.outcome == "allow"
        effect = session.declare_side_effect(0, "orders/1", "submit",
                                             idempotency_key=permit.approval_id)
        session.commit_side_effect(effect, observed_result="ok")
        assert session.gate({ORDER!r}, key="order", policy=allow).outcome == "done"
        session.flush()
        os._exit(9)
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(child)], check=False, capture_output=True
    )
    assert ended.returncode == 9, ended.stderr.decode()
    with DebugSession(
        run_id=RUN,
        client_name="a",
        out_dir=tmp_path / "b",
        dsn="",
        capture_mode="full",
        debug_session_id="dbg_same",
    ) as session:
        permit = session.gate(ORDER, key="order", policy=GatePolicy(irreversible="allow"))
    assert permit.outcome == "done"
    assert permit.observed_result == "ok"


def test_polling_ends_with_the_session(server: FaultyServer, tmp_path: Path) -> None:
    with DebugSession(**options(tmp_path / "b", server)) as session:
        session.bind_intervention(Adapter())
        server.wait_for(lambda: server.received("GET", "/commands"))
        task = session._core.intervention._polling
    assert task is not None
    assert task.done()
    assert len(server.received("GET", "/commands")) == 1


def test_after_close_nobody_takes_part(server: FaultyServer, tmp_path: Path) -> None:
    with DebugSession(**options(tmp_path / "b", server)) as session:
        pass
    with pytest.raises(RuntimeError, match="after the session was closed"):
        session.checkpoint()
    with pytest.raises(RuntimeError, match="after the session was closed"):
        session.bind_intervention(Adapter())
