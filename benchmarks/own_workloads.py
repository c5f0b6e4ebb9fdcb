"""Works without a counterpart: what only this library does, or promises.

python own_workloads.py NAME '{"steps": 2000}'
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

import samples
import server
import workloads
from workloads import Measured, clock, folder, opened, spread

TICK = 0.001


def async_calls(steps: int) -> Measured:
    """`AsyncDebugSession.record_step` in a burst, and how late a timer of the agent's loop is."""
    return asyncio.run(_async_calls(steps))


async def _async_calls(steps: int) -> Measured:
    from augur_sdk import AsyncDebugSession

    times: list[float] = []
    with folder(many=True) as out:
        session = AsyncDebugSession(
            run_id="bench", client_name="bench", out_dir=out, capture_mode="full"
        )
        async with session:
            async with _lateness() as late:
                for number in range(steps):
                    record = samples.step(number)
                    began = time.perf_counter()
                    await session.record_step(record)
                    times.append(time.perf_counter() - began)
                    await asyncio.sleep(0)
            stalls = spread(late)
            async with _lateness() as idle:
                await asyncio.sleep(0.5)
    return {**spread(times), "stall_p99": stalls["p99"], "idle_p99": spread(idle)["p99"]}


@asynccontextmanager
async def _lateness() -> AsyncIterator[list[float]]:
    late = [0.0, 0.0]

    async def tick() -> None:
        while True:
            due = time.perf_counter() + TICK
            await asyncio.sleep(TICK)
            late.append(max(0.0, time.perf_counter() - due))

    task = asyncio.create_task(tick())
    try:
        yield late
    finally:
        task.cancel()


def per_step(steps: int) -> Measured:
    """The cost of one step of a long run, to the end of `close()`, and the memory it leaves."""
    import psutil

    process = psutil.Process()
    with folder(many=True) as out:
        with opened(out / "warm") as session:
            session.record_step(samples.step(0))
        before, start = process.memory_info().rss, clock()
        with opened(out / "run") as session:
            for number in range(steps):
                session.record_step(samples.step(number))
            recorded = clock()
            memory = process.memory_info().rss - before
        ended = clock()
    return {
        "cpu": (ended[1] - start[1]) / steps,
        "wall": (ended[0] - start[0]) / steps,
        "close": (ended[0] - recorded[0]) / steps,
        "memory": memory / steps,
    }


def streaming(steps: int) -> Measured:
    """A run to a server on loopback that answers at once, to the end of `close()`."""
    with server.running(Path(sys.executable), 0.0) as (dsn, process), folder(many=True) as out:
        start = clock()
        with opened(out, dsn=dsn, flush_timeout=60.0) as session:
            for number in range(steps):
                session.record_step(samples.step(number))
        ended = clock()
        requests = server.seen(process)["requests"]
    if requests < steps / 10:
        message = f"{requests:.0f} requests for {steps} steps: nothing is streamed yet"
        raise RuntimeError(message)
    wall, cpu = ended[0] - start[0], ended[1] - start[1]
    return {"requests": requests, "rate": requests / wall, "cpu_per_request": cpu / requests}


def killed(steps: int, out: str) -> Measured:
    """Record and vanish, as a kill leaves a run."""
    with opened(Path(out)) as session:
        for number in range(steps):
            session.record_step(samples.step(number))
            session.record_event(samples.event(number))
        session.flush()
        os._exit(9)


def recovery(steps: int) -> Measured:
    """`recover_bundle` on a run that was killed, and `diagnose` on what it gave."""
    from augur_sdk import recover_bundle
    from augur_sdk.diagnostics import diagnose

    with folder(many=True) as out:
        arguments = f'{{"steps": {steps}, "out": "{out}/run"}}'
        subprocess.run([sys.executable, __file__, "killed", arguments], check=False)
        start = clock()
        recover_bundle(out / "run")
        recovered = clock()
        diagnose(out / "run", ["cua"])
        ended = clock()
    return {
        "recover": (recovered[0] - start[0]) * 1000 / steps,
        "recover_cpu": (recovered[1] - start[1]) * 1000 / steps,
        "diagnose": (ended[0] - recovered[0]) * 1000 / steps,
        "diagnose_cpu": (ended[1] - recovered[1]) * 1000 / steps,
    }


def soak(seconds: float, rate: float = 100.0) -> Measured:
    """Steps with pictures at a steady rate: memory, threads and descriptors at both ends."""
    import psutil

    process = psutil.Process()
    seen: list[tuple[int, int, int]] = []
    picture = workloads.pair(0)
    with folder() as out, opened(out) as session:
        began, number = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            if number % 10 == 0:
                for which in (0, 1):
                    kind = ("pre", "post")[which]
                    session.attach_observation(
                        step_index=number, kind=kind, png_bytes=picture[which]
                    )
            session.record_step(samples.step(number))
            number += 1
            if number % 20 == 0:
                memory = process.memory_info().rss
                seen.append((memory, threading.active_count(), process.num_fds()))
            time.sleep(max(0.0, began + number / rate - time.perf_counter()))
    third = max(1, len(seen) // 3)
    middle, last = seen[third : 2 * third] or seen, seen[-third:]
    growth = median(each[0] for each in last) - median(each[0] for each in middle)
    return {
        "steps": number,
        "memory_per_step": growth / max(1, number / 3),
        "threads": max(each[1] for each in last) - max(each[1] for each in middle),
        "descriptors": max(each[2] for each in last) - max(each[2] for each in middle),
        "peak": max(each[0] for each in seen),
    }


class Agent:
    """An adapter that notes when it was told to pause."""

    name = "bench"
    SUPPORTED_SCHEMA_RANGE = ("0.1", "0.1")

    def __init__(self) -> None:
        self.paused = threading.Event()
        self.at = 0.0

    def on_pause(self) -> None:
        self.at = time.perf_counter()
        self.paused.set()

    def on_resume(self) -> None:
        self.paused.clear()


def pause_to_effect(times: int) -> Measured:
    """From an operator's command on the server to the agent's hook, by long poll on loopback."""
    from augur_sdk.testing import CaptureServer

    agent, taken = Agent(), []
    with CaptureServer() as listening, folder() as out:
        session: Any = opened(out, dsn=listening.dsn)
        with session:
            if session.bind_intervention(agent) is None:
                raise RuntimeError("no intervention channel yet")
            for _ in range(times):
                time.sleep(0.05)
                began = time.perf_counter()
                listening.push_command(session.run_id, "pause")
                if not agent.paused.wait(10.0):
                    raise RuntimeError("a pause had no effect within 10 s")
                taken.append(agent.at - began)
                listening.push_command(session.run_id, "resume")
                while agent.paused.is_set():
                    time.sleep(0.005)
    return {"p50": median(taken), "max": max(taken)}


WORK = {
    function.__name__: function
    for function in (
        async_calls,
        per_step,
        streaming,
        killed,
        recovery,
        soak,
        pause_to_effect,
    )
}

if __name__ == "__main__":
    workloads.main(WORK)
