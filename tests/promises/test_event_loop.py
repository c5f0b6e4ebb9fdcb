"""Row 17: the agent's event loop is not held, by recording or by closing."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from scenarios import event, png, read_json, step

from augur_sdk import AsyncDebugSession

pytestmark = pytest.mark.anyio


class Ticker:
    """Wakes every millisecond and remembers the longest time it had to wait beyond that.

    The thread's own processor time is what counts: on a shared machine another process may
    take the core for longer than any bound, and that is not this package's doing.
    """

    def __init__(self) -> None:
        self.longest = 0.0

    async def run(self) -> None:
        while True:
            before = time.thread_time()
            await anyio.sleep(0.001)
            self.longest = max(self.longest, time.thread_time() - before)


@pytest.fixture
def collector_out_of_the_way() -> Iterator[None]:
    """The objects of thousands of tests are not this package's to collect."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("collector_out_of_the_way")
async def test_recording_and_closing_leave_the_loop_to_the_agent(tmp_path: Path) -> None:
    ticker = Ticker()
    recording = closing = 0.0
    session = AsyncDebugSession(
        run_id="r", client_name="c", out_dir=tmp_path / "b", capture_mode="full"
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ticker.run)
        async with session:
            ticker.longest = 0.0
            for index in range(1500):
                await session.record_step(step(index))
                await session.record_event(event(index))
                if index % 10 == 0:
                    await session.attach_observation(
                        step_index=index, kind="pre", png_bytes=png(index, padding=100_000)
                    )
            recording, ticker.longest = ticker.longest, 0.0
        closing = ticker.longest
        tasks.cancel_scope.cancel()
    print(f"held for {recording * 1000:.1f} ms recording, {closing * 1000:.1f} ms closing")
    assert recording < 0.010
    assert closing < 0.020
    assert read_json(tmp_path / "b/manifest.json")["step_count"] == 1500


async def test_many_tasks_share_a_session(tmp_path: Path) -> None:
    async with AsyncDebugSession(
        run_id="r", client_name="c", out_dir=tmp_path / "b", capture_mode="full"
    ) as session:

        async def work(number: int) -> None:
            for _ in range(25):
                async with session.step("click", intent=f"task {number}") as block:
                    await block.event("planner", "info", "hello")
                    await anyio.lowlevel.checkpoint()
                assert block.index >= 0

        async with anyio.create_task_group() as tasks:
            for number in range(8):
                tasks.start_soon(work, number)
    steps = read_json(tmp_path / "b/trace.json")["steps"]
    assert [record["step_index"] for record in steps] == list(range(200))
    assert {record["status"] for record in steps} == {"succeeded"}


async def test_200_sessions_in_one_process(tmp_path: Path) -> None:
    async def run(number: int) -> None:
        async with AsyncDebugSession(
            run_id=str(number), client_name="c", out_dir=tmp_path / str(number), capture_mode="full"
        ) as session:
            for index in range(5):
                await session.record_step(step(index))
                await session.flush()

    async with anyio.create_task_group() as tasks:
        for number in range(200):
            tasks.start_soon(run, number)
    assert step_counts(tmp_path) == [5] * 200


def step_counts(folder: Path) -> list[int]:
    return [read_json(path)["step_count"] for path in folder.glob("*/manifest.json")]


async def test_a_cancelled_agent_still_gets_its_bundle(tmp_path: Path) -> None:
    async with anyio.create_task_group() as tasks:

        async def agent() -> None:
            async with AsyncDebugSession(
                run_id="r", client_name="c", out_dir=tmp_path / "b", capture_mode="full"
            ) as session:
                await session.record_step(step(0))
                tasks.cancel_scope.cancel()
                await anyio.sleep_forever()

        tasks.start_soon(agent)
    assert read_json(tmp_path / "b/trace.json")["session"]["status"] == "halted"
