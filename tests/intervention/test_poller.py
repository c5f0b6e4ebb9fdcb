"""The operator's commands, against a real server."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from augur_sdk.intervention import InterventionCommand
from augur_sdk.intervention import poller as poller_module
from augur_sdk.intervention.gate import Gate, GateState
from augur_sdk.intervention.poller import MAX_GAP, CommandPoller, pause_after
from augur_sdk.streaming.outcome import Outcome
from augur_sdk.streaming.transport import Transport
from augur_sdk.testing import Fault, FaultyServer, Reply
from augur_sdk.testing.faulty import Rule

if TYPE_CHECKING:
    from .conftest import RecordingAdapter, RecordingHost

pytestmark = pytest.mark.anyio

RUN = "run-1"


@pytest.fixture
def anyio_backend() -> str:
    """The poller runs on the portal, whatever the agent's loop is."""
    return "asyncio"


NewPoller = Callable[..., CommandPoller]
Polling = Callable[[CommandPoller], AbstractAsyncContextManager[CommandPoller]]


async def until(server: FaultyServer, condition: Callable[[], object]) -> None:
    await anyio.to_thread.run_sync(server.wait_for, condition)


async def test_every_command_reaches_its_hook_its_event_and_the_gate(
    server: FaultyServer,
    new_poller: NewPoller,
    polling: Polling,
    adapter: RecordingAdapter,
    host: RecordingHost,
    gate: Gate,
) -> None:
    async with polling(new_poller(adapter)):
        server.push_command(RUN, "pause", operator_id="op")
        server.push_command(RUN, "inject_hint", {"text": "look up"}, "op")
        server.push_command(RUN, "override_action", {"coordinates": {"x": 3, "y": 4}}, "op")
        server.push_command(RUN, "resume", operator_id="op")
        server.push_command(RUN, "kill", operator_id="op")
        await until(server, lambda: len(adapter.calls) == 5)
    assert adapter.calls == [
        ("pause",),
        ("hint", "look up"),
        ("override", {"x": 3, "y": 4}, "human_override"),
        ("resume",),
        ("kill",),
    ]
    assert [event["detail"]["operator_id"] for event in host.events] == ["op"] * 5
    assert host.events[1]["detail"]["payload"] == {"text": "look up"}
    assert host.events[2]["detail"]["provenance"] == "human_override"
    assert gate.killed


async def test_a_kill_settles_declared_effects_first(
    server: FaultyServer, new_poller: NewPoller, polling: Polling, host: RecordingHost, gate: Gate
) -> None:
    def died() -> None:
        if gate.killed:
            host.order.append("killed")

    with gate.subscribed(died):
        async with polling(new_poller()):
            server.push_command(RUN, "kill")
            await until(server, lambda: gate.killed)
    assert host.order == ["aborted: killed by the operator", "operator command: kill", "killed"]


async def test_a_pause_takes_effect_within_one_round_trip(
    server: FaultyServer, new_poller: NewPoller, polling: Polling, gate: Gate
) -> None:
    changed = threading.Event()
    async with polling(new_poller()):
        await until(server, lambda: server.received("GET"))
        with gate.subscribed(changed.set):
            server.push_command(RUN, "pause")
            assert await anyio.to_thread.run_sync(changed.wait, 2.0)
    assert gate.state is GateState.PAUSED
    assert len([r for r in server.received("GET") if r.status == 200]) == 1


async def test_each_command_counts_once_also_across_reconnects(
    server: FaultyServer, new_poller: NewPoller, polling: Polling, adapter: RecordingAdapter
) -> None:
    def every_time(_: Any) -> Reply:
        return Reply(200, b'{"commands":[{"command_id":"c1","type":"pause"}],"cursor":"0"}')

    server.add(Rule(every_time, path="commands$", times=2))
    server.script(fault=Fault.RESET, path="commands$", times=1)
    poller = new_poller(adapter)
    async with polling(poller):
        server.push_command(RUN, "resume", command_id="c2")
        await until(server, lambda: ("resume",) in adapter.calls)
    assert adapter.calls == [("pause",), ("resume",)]
    assert poller.received == 2


async def test_commands_of_an_earlier_process_are_not_repeated(
    server: FaultyServer, new_poller: NewPoller, polling: Polling, adapter: RecordingAdapter
) -> None:
    server.push_command(RUN, "kill", command_id="old")
    async with polling(new_poller(adapter, seen=["old"])):
        server.push_command(RUN, "pause", command_id="new")
        await until(server, lambda: adapter.calls)
    assert adapter.calls == [("pause",)]


async def test_the_cursor_goes_along(
    server: FaultyServer, new_poller: NewPoller, polling: Polling, adapter: RecordingAdapter
) -> None:
    async with polling(new_poller(adapter)):
        server.push_command(RUN, "pause")
        await until(server, lambda: len(server.received("GET")) == 2)
    polls = server.received("GET")
    assert [poll.query for poll in polls] == [{}, {"cursor": "1"}]
    assert polls[0].headers["authorization"] == "Bearer test-token"


async def test_a_hook_that_blocks_does_not_stop_the_next_command(
    server: FaultyServer, new_poller: NewPoller, polling: Polling
) -> None:
    resumed, waited = threading.Event(), threading.Event()

    class Blocking:
        def on_pause(self) -> None:
            if resumed.wait(10):
                waited.set()

        def on_resume(self) -> None:
            resumed.set()

    async with polling(new_poller(Blocking())):
        server.push_command(RUN, "pause")
        await until(server, lambda: len(server.received("GET")) == 2)
        server.push_command(RUN, "resume")
        assert await anyio.to_thread.run_sync(waited.wait, 5.0)


async def test_an_async_hook_that_waits_does_not_stop_the_next_command(
    server: FaultyServer, new_poller: NewPoller, polling: Polling
) -> None:
    resumed, waited = anyio.Event(), anyio.Event()

    class Waiting:
        async def on_pause(self) -> None:
            await resumed.wait()
            waited.set()

        async def on_resume(self) -> None:
            resumed.set()

    async with polling(new_poller(Waiting())):
        server.push_command(RUN, "pause")
        server.push_command(RUN, "resume")
        with anyio.fail_after(5):
            await waited.wait()


async def test_a_hook_that_raises_harms_nothing(
    server: FaultyServer,
    new_poller: NewPoller,
    polling: Polling,
    gate: Gate,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken:
        def on_pause(self) -> None:
            raise SystemExit

        async def on_resume(self) -> None:
            raise ValueError("canary-7f3a9c")

    poller = new_poller(Broken())
    async with polling(poller):
        server.push_command(RUN, "pause")
        server.push_command(RUN, "resume")
        server.push_command(RUN, "kill")
        await until(server, lambda: poller.hooks.failed == 2 and gate.killed)
    assert "on_pause failed: SystemExit" in caplog.text
    assert "canary" not in caplog.text


async def test_a_missing_hook_is_no_failure(
    server: FaultyServer, new_poller: NewPoller, polling: Polling, host: RecordingHost
) -> None:
    poller = new_poller(object())
    async with polling(poller):
        server.push_command(RUN, "pause")
        server.push_command(RUN, "reboot")
        await until(server, lambda: len(host.events) == 2)
    assert poller.hooks.failed == 0


async def test_a_session_that_cannot_record_is_killed_all_the_same(
    server: FaultyServer, new_poller: NewPoller, polling: Polling, host: RecordingHost, gate: Gate
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError

    host.record_event = broken  # type: ignore[method-assign,assignment]  # the session breaks
    host.abort_pending_side_effects = broken  # type: ignore[assignment,method-assign]  # the same
    async with polling(new_poller()):
        server.push_command(RUN, "kill")
        await until(server, lambda: gate.killed)


BAD_ANSWERS: dict[str, dict[str, Any]] = {
    "an instant 500": {"status": 500},
    "an instant empty 200": {"status": 200, "body": b""},
    "an instant batch of nothing": {"status": 200, "body": b'{"commands":[]}'},
    "bad JSON": {"status": 200, "body": b"{oops"},
    "the same command for ever": {
        "status": 200,
        "body": b'{"commands":[{"id":"c","type":"pause"}],"cursor":"1"}',
    },
    "a wrong credential": {"status": 401},
    "an unknown run": {"status": 404},
    "a reset": {"fault": Fault.RESET},
    "a redirect": {"status": 307, "headers": {"Location": "http://127.0.0.1:9/"}},
}


GAP = 0.3
"""Instead of the second, which the table at the end holds."""


@pytest.mark.parametrize("answer", BAD_ANSWERS)
async def test_at_most_one_poll_a_second_whatever_comes_back(
    answer: str,
    server: FaultyServer,
    new_poller: NewPoller,
    polling: Polling,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(poller_module, "MIN_GAP", GAP)
    server.script(**BAD_ANSWERS[answer], path="commands$")
    poller = new_poller()
    starts = starts_of_polls(poller, monkeypatch)
    async with polling(poller):
        await until(server, lambda: len(server.received("GET")) >= 2 + (answer[:8] == "the same"))
    assert len(server.received("GET")) <= len(starts)
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert gaps[-1] >= GAP * 0.99


def starts_of_polls(poller: CommandPoller, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When each poll began: the server sees them later, by as much as a busy machine takes."""
    starts: list[float] = []
    exchange = poller._exchange

    async def noted(transport: Transport) -> Outcome:
        starts.append(time.monotonic())
        return await exchange(transport)

    monkeypatch.setattr(poller, "_exchange", noted)
    return starts


async def test_retry_after_is_obeyed(
    server: FaultyServer, new_poller: NewPoller, polling: Polling
) -> None:
    server.script(status=429, headers={"Retry-After": "1"}, path="commands$", times=1)
    async with polling(new_poller()):
        await until(server, lambda: len(server.received("GET")) >= 2)
    first, second = server.received("GET")[:2]
    assert second.at - first.at >= 1.0


async def test_a_silent_server_is_asked_again_after_the_poll_timeout(
    server: FaultyServer, new_poller: NewPoller, polling: Polling
) -> None:
    server.script(fault=Fault.HANG, path="commands$")
    poller = new_poller(poll_timeout=1.0)
    async with polling(poller):
        await until(server, lambda: len(server.received("GET")) >= 2)
        assert poller.errors == 0


async def test_trouble_is_said_once_and_so_is_its_end(
    server: FaultyServer,
    new_poller: NewPoller,
    polling: Polling,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(poller_module, "MIN_GAP", GAP)
    server.script(status=503, path="commands$", times=2)
    async with polling(new_poller()):
        await until(server, lambda: len(server.received("GET")) >= 3)
        server.push_command(RUN, "pause")
        await until(server, lambda: len(server.received("GET")) >= 4)
    assert caplog.text.count("cannot be fetched") == 1
    assert caplog.text.count("fetched again") == 1


@pytest.mark.parametrize("fault", [None, Fault.HANG])
async def test_it_stops_at_once_in_the_middle_of_a_poll(
    fault: Fault | None, server: FaultyServer, new_poller: NewPoller, gate: Gate
) -> None:
    if fault:
        server.script(fault=fault)
    poller = new_poller()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(poller.run)
        await until(server, lambda: server.received("GET"))
        assert gate.attended
        poller.stop()
        with anyio.fail_after(0.5, shield=True):
            await poller.stopped.wait()
    assert not gate.attended


async def test_a_poller_stopped_before_it_ran_does_not_run(
    server: FaultyServer, new_poller: NewPoller
) -> None:
    poller = new_poller()
    poller.stop()
    with anyio.fail_after(1):
        await poller.run()
    assert server.requests == []


async def test_poll_once_and_dispatch_work_by_hand(
    server: FaultyServer, new_poller: NewPoller, adapter: RecordingAdapter
) -> None:
    poller = new_poller(adapter)
    server.push_command(RUN, "pause", command_id="c1")
    commands = await poller.poll_once()
    assert [c.command_id for c in commands] == ["c1"]
    assert adapter.calls == []
    assert await poller.dispatch(commands) == commands
    assert adapter.calls == [("pause",)]
    assert await poller.dispatch(commands) == []


async def test_poll_once_never_raises(server: FaultyServer, new_poller: NewPoller) -> None:
    await anyio.to_thread.run_sync(server.stop_listening)
    assert await new_poller().poll_once() == []


async def test_an_operator_with_an_approval_is_heard(
    server: FaultyServer, new_poller: NewPoller, polling: Polling, gate: Gate
) -> None:
    request = gate.ask({"type": "click"})
    gate.post(request)
    async with polling(new_poller()):
        named = {"approval_id": request.approval_id, "action_hash": request.action_hash}
        server.push_command(RUN, "approve", named, "op")
        await until(server, lambda: len(server.received("GET")) >= 2)
    permit = gate.answer(request)
    assert permit is not None
    assert (permit.allowed, permit.operator_id) == (True, "op")


@pytest.mark.parametrize(
    ("elapsed", "fresh", "errors", "asked", "least", "most"),
    [
        (0.0, True, 0, 0.0, 0.0, 0.0),
        (0.0, False, 0, 0.0, 1.0, 1.5),
        (0.4, False, 0, 0.0, 0.6, 1.1),
        (25.0, False, 0, 0.0, 0.0, 0.0),
        (0.0, False, 1, 0.0, 1.0, 1.5),
        (0.0, False, 2, 0.0, 2.0, 2.5),
        (0.0, False, 50, 0.0, MAX_GAP, MAX_GAP + 0.5),
        (0.0, False, 1, 30.0, 30.0, 30.5),
        (9.0, False, 1, 0.0, 0.0, 0.0),
    ],
)
def test_the_pace_of_polling(
    elapsed: float, fresh: bool, errors: int, asked: float, least: float, most: float
) -> None:
    for seed in range(20):
        pause = pause_after(
            elapsed=elapsed,
            fresh=fresh,
            errors=errors,
            asked=asked,
            rng=random.Random(seed),  # noqa: S311 - jitter is no secret
        )
        assert least <= pause <= most


def test_remembered_ids_are_bounded(new_poller: NewPoller) -> None:
    from augur_sdk.intervention.poller import REMEMBERED

    poller = new_poller()
    poller._accept(InterventionCommand(str(n), "noop") for n in range(REMEMBERED + 100))
    assert len(poller._seen) == REMEMBERED
    assert poller._accept([InterventionCommand(str(REMEMBERED), "noop")]) == []
