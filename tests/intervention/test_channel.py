"""The channel as `bind_intervention` returns it, with the poller on a portal."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from augur_sdk.agent_loop import ended, running_loop, start_on
from augur_sdk.intervention import AsyncInterventionChannel, InterventionChannel
from augur_sdk.intervention.poller import CommandPoller
from augur_sdk.testing import FaultyServer

if TYPE_CHECKING:
    from .conftest import RecordingAdapter

RUN = "run-1"
NewPoller = Callable[..., CommandPoller]


@pytest.fixture
def portal() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as started:
        yield started


def loop_of(portal: BlockingPortal) -> asyncio.AbstractEventLoop:
    return portal.call(asyncio.get_running_loop)


def test_a_blocking_session_is_served_in_the_background_and_by_hand(
    server: FaultyServer, new_poller: NewPoller, adapter: RecordingAdapter, portal: BlockingPortal
) -> None:
    poller = new_poller(adapter)
    channel = InterventionChannel(poller, loop_of(portal))
    running = portal.start_task_soon(poller.run)
    server.push_command(RUN, "pause")
    server.wait_for(lambda: adapter.calls)
    server.push_command(RUN, "kill", command_id="k")
    commands = channel.poll_once()
    channel.dispatch(commands)
    server.wait_for(lambda: ("kill",) in adapter.calls)
    assert adapter.calls == [("pause",), ("kill",)]
    assert channel.received == 2
    assert channel.errors == 0
    channel.stop()
    running.result(0.5)


def test_an_async_hook_of_a_blocking_session_runs_on_the_portal(
    server: FaultyServer, new_poller: NewPoller, portal: BlockingPortal
) -> None:
    called = threading.Event()

    class Adapter:
        async def on_pause(self) -> None:
            await anyio.lowlevel.checkpoint()
            called.set()

    poller = new_poller(Adapter())
    running = portal.start_task_soon(poller.run)
    server.push_command(RUN, "pause")
    assert called.wait(5)
    InterventionChannel(poller, loop_of(portal)).stop()
    running.result(0.5)


@pytest.mark.anyio
async def test_hooks_of_an_async_session_run_on_the_agents_loop_or_off_it(
    server: FaultyServer, new_poller: NewPoller, portal: BlockingPortal
) -> None:
    agent, threads = threading.get_ident(), dict[str, int]()
    done = anyio.Event()
    name: ContextVar[str] = ContextVar("name", default="")
    name.set("the binder's context")
    seen: list[str] = []

    class Adapter:
        def on_pause(self) -> None:
            threads["plain"] = threading.get_ident()
            seen.append(name.get())

        async def on_resume(self) -> None:
            threads["async"] = threading.get_ident()
            seen.append(name.get())
            done.set()

    loop = await anyio.to_thread.run_sync(loop_of, portal)
    poller = new_poller(Adapter(), agent_loop=running_loop())
    channel = AsyncInterventionChannel(poller, loop)
    running = start_on(loop, poller.run())
    server.push_command(RUN, "pause")
    server.push_command(RUN, "resume")
    with anyio.fail_after(5):
        await done.wait()
    assert threads["async"] == agent
    assert threads["plain"] != agent
    assert seen == ["the binder's context"] * 2
    assert await channel.dispatch([]) == []
    channel.stop()
    await ended(running)


@pytest.mark.anyio
async def test_an_async_channel_can_be_polled_by_hand(
    server: FaultyServer, new_poller: NewPoller, adapter: RecordingAdapter, portal: BlockingPortal
) -> None:
    server.push_command(RUN, "inject_hint", {"text": "up"})
    loop = await anyio.to_thread.run_sync(loop_of, portal)
    channel = AsyncInterventionChannel(new_poller(adapter), loop)
    await channel.dispatch(await channel.poll_once())
    assert adapter.calls == [("hint", "up")]


def test_stopping_after_the_loop_is_gone_is_harmless(new_poller: NewPoller) -> None:
    with start_blocking_portal() as portal:
        loop = loop_of(portal)
    InterventionChannel(new_poller(), loop).stop()


def test_a_hook_that_never_returns_does_not_keep_the_process_alive(tmp_path: Any) -> None:
    import subprocess
    import sys
    import textwrap

    program = tmp_path / "agent.py"
    program.write_text(
        textwrap.dedent(
            """
            import asyncio, threading
            from augur_sdk.intervention.command import InterventionCommand
            from augur_sdk.intervention.hooks import HookLane

            class Stuck:
                def on_pause(self):
                    threading.Event().wait()

            async def main():
                lane = HookLane(Stuck(), None)
                await lane.run([lane.call_for(InterventionCommand("c", "pause"))])

            asyncio.run(main())
            """
        )
    )
    subprocess.run([sys.executable, program], timeout=30, check=True)
