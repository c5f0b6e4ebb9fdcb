"""Checkpoints and killable scopes: an agent on a loop or a thread, an operator on another."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from augur_sdk.errors import RunKilled
from augur_sdk.intervention import Checkpoint, GatePolicy, InterventionCommand
from augur_sdk.intervention.approval_point import ApprovalPoint
from augur_sdk.intervention.gate import Gate
from augur_sdk.intervention.killable import Killable
from augur_sdk.intervention.waiting import wait, wait_blocking

pytestmark = pytest.mark.anyio


def from_another_thread(*calls: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        for call in calls:
            call()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def command(kind: str, **payload: Any) -> InterventionCommand:
    return InterventionCommand(f"c-{kind}", kind, operator_id="op", payload=payload)


async def listened_to(gate: Gate) -> None:
    with anyio.fail_after(5):
        while not gate._listeners:
            await anyio.lowlevel.checkpoint()


async def test_a_paused_task_waits_until_it_is_resumed() -> None:
    gate = Gate("run")
    gate.apply(command("pause"))
    passed: list[Checkpoint | None] = []

    async def agent() -> None:
        passed.append(await wait(gate, gate.take))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(agent)
        await listened_to(gate)
        assert passed == []
        hint, resume = command("inject_hint", text="left"), command("resume")
        from_another_thread(lambda: gate.apply(hint), lambda: gate.apply(resume))
    assert passed[0] is not None
    assert [h.text for h in passed[0].hints] == ["left"]


async def test_a_paused_task_that_is_killed_raises() -> None:
    gate = Gate("run")
    gate.apply(command("pause"))
    from_another_thread(lambda: gate.apply(command("kill")))
    with pytest.raises(RunKilled), anyio.fail_after(5):
        await wait(gate, gate.take)


async def test_patience_ends_a_wait() -> None:
    gate = Gate("run")
    gate.apply(command("pause"))
    assert await wait(gate, gate.take, 0.01) is None
    assert gate._listeners == set()


async def test_a_cancelled_wait_leaves_nothing_behind() -> None:
    gate = Gate("run")
    gate.apply(command("pause"))
    with anyio.move_on_after(0.01):
        await wait(gate, gate.take)
    assert gate._listeners == set()


def test_a_paused_thread_waits_until_it_is_resumed() -> None:
    gate, passed = Gate("run"), threading.Event()
    gate.apply(command("pause"))

    def agent() -> None:
        assert wait_blocking(gate, gate.take) == Checkpoint()
        passed.set()

    thread = from_another_thread(agent)
    while not gate._listeners:
        time.sleep(0)
    assert not passed.is_set()
    gate.apply(command("resume"))
    thread.join(5)
    assert passed.is_set()


def test_a_paused_thread_that_is_killed_raises() -> None:
    gate = Gate("run")
    gate.apply(command("pause"))
    from_another_thread(lambda: gate.apply(command("kill")))
    with pytest.raises(RunKilled):
        wait_blocking(gate, gate.take)


def test_a_thread_loses_patience() -> None:
    gate = Gate("run")
    gate.apply(command("pause"))
    assert wait_blocking(gate, gate.take, 0.01) is None


async def in_killable(gate: Gate, body: Callable[[], Awaitable[object]]) -> None:
    with anyio.fail_after(5):
        async with Killable(gate):
            await body()


async def test_a_kill_cancels_a_killable_scope_in_the_middle_of_an_await() -> None:
    gate, cancelled = Gate("run"), list[str]()

    async def agent() -> None:
        from_another_thread(lambda: gate.apply(command("kill")))
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.append("model call")

    with pytest.raises(RunKilled) as caught:
        await in_killable(gate, agent)
    assert cancelled == ["model call"]
    assert caught.value.operator_id == "op"
    assert gate._listeners == set()


async def test_a_scope_that_nobody_kills_is_invisible() -> None:
    gate = Gate("run")
    async with Killable(gate):
        await anyio.lowlevel.checkpoint()
    assert gate._listeners == set()


async def test_the_bodys_own_exception_comes_out_as_it_is() -> None:
    gate, error = Gate("run"), ValueError("the agent's own")

    async def agent() -> None:
        gate.apply(command("kill"))
        raise error

    with pytest.raises(ValueError, match="own") as caught:
        await in_killable(gate, agent)
    assert caught.value is error


async def test_a_body_that_swallows_the_cancellation_is_killed_all_the_same() -> None:
    gate = Gate("run")

    async def agent() -> None:
        from_another_thread(lambda: gate.apply(command("kill")))
        with contextlib.suppress(BaseException):  # what a careless agent does
            await anyio.sleep_forever()

    with pytest.raises(RunKilled):
        await in_killable(gate, agent)


async def test_a_killed_run_does_not_enter_the_scope() -> None:
    gate = Gate("run")
    gate.apply(command("kill"))

    async def agent() -> None:
        pytest.fail("the body must not run")

    with pytest.raises(RunKilled):
        await in_killable(gate, agent)


async def test_pauses_and_hints_do_not_cancel_the_body() -> None:
    gate = Gate("run")
    async with Killable(gate):
        thread = from_another_thread(
            lambda: gate.apply(command("pause")), lambda: gate.apply(command("resume"))
        )
        await anyio.to_thread.run_sync(thread.join)
        await anyio.sleep(0.01)


async def test_a_cancellation_from_outside_stays_one() -> None:
    gate, entered, left = Gate("run"), anyio.Event(), list[type[BaseException]]()

    async def agent() -> None:
        try:
            async with Killable(gate):
                entered.set()
                await anyio.sleep_forever()
        except BaseException as error:
            left.append(type(error))
            raise

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(agent)
        await entered.wait()
        tasks.cancel_scope.cancel()
    assert left == [anyio.get_cancelled_exc_class()]
    assert gate._listeners == set()


async def test_task_groups_and_timeouts_inside_the_scope_are_cancelled_with_it() -> None:
    gate = Gate("run")

    async def agent() -> None:
        from_another_thread(lambda: gate.apply(command("kill")))
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                for _ in range(3):
                    tasks.start_soon(anyio.sleep, 60)

    with pytest.raises(RunKilled):
        await in_killable(gate, agent)


async def test_an_approval_point_waits_for_the_operator() -> None:
    gate, events = Gate("run"), list[Any]()
    gate.attended = True

    def operator() -> None:
        while not gate.pending:
            time.sleep(0)
        request = gate.pending[0]
        gate.apply(command("approve", action_hash=request.action_hash))

    from_another_thread(operator)
    with anyio.fail_after(5):
        permit = await ApprovalPoint(gate, GatePolicy(), events.append, {"pay": 1}).passed()
    assert permit.allowed
    assert [event["summary"] for event in events] == ["approval pending", "approval: allow"]


async def test_an_approval_point_is_left_by_a_kill() -> None:
    gate, events = Gate("run"), list[Any]()
    gate.attended = True
    point = ApprovalPoint(gate, GatePolicy(), events.append, {"pay": 1})
    from_another_thread(lambda: gate.apply(command("kill")))
    with pytest.raises(RunKilled), anyio.fail_after(5):
        await point.passed()
    assert gate.pending == []


async def test_an_approval_point_waits_out_a_pause_even_where_policy_allows() -> None:
    gate, events = Gate("run"), list[Any]()
    gate.apply(command("pause"))
    point = ApprovalPoint(gate, GatePolicy(), events.append, {}, reversibility="reversible")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(point.passed)
        await listened_to(gate)
        assert events == []
        gate.apply(command("resume"))
    assert len(events) == 1
