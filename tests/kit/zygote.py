"""A process that has the package imported and forks a recording child on each request.

Requests and answers are lines: `run <kind> <folder>` is answered by the child's process id;
the child then writes receipts to the same pipe until it is killed. Receipts say what returned
when, on the clock that all processes of a machine share, and how long the child's threads had
waited for a core until then.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

from scenarios import event, png, step
from starvation import waited_for_a_core

from augur_sdk import AsyncDebugSession, DebugSession

STEPS = 100_000
PAUSE = 0.002


def receipt(kind: str, number: int) -> None:
    waited = waited_for_a_core(os.getpid())
    os.write(1, f"{kind} {number} {time.monotonic()} {waited}\n".encode())


def record_blocking(folder: str) -> None:
    session = DebugSession(run_id="run", client_name="c", out_dir=folder, capture_mode="full")
    with session:
        for index in range(STEPS):
            session.attach_observation(step_index=index, kind="pre", png_bytes=png(index))
            session.record_step(step(index))
            session.record_event(event(index))
            receipt("record", index)
            if index % 17 == 16:
                session.flush()
                receipt("flush", index)
            time.sleep(PAUSE)


async def record_async(folder: str) -> None:
    session = AsyncDebugSession(run_id="run", client_name="c", out_dir=folder, capture_mode="full")
    async with session:
        for index in range(STEPS):
            await session.attach_observation(step_index=index, kind="pre", png_bytes=png(index))
            await session.record_step(step(index))
            await session.record_event(event(index))
            receipt("record", index)
            if index % 17 == 16:
                await session.flush()
                receipt("flush", index)
            # An agent whose model call holds its own event loop.
            time.sleep(PAUSE)  # noqa: ASYNC251 - the point of it


def main() -> None:
    for line in sys.stdin:
        _, kind, folder = line.split(maxsplit=2)
        pid = os.fork()
        if pid == 0:
            receipt("pid", os.getpid())
            if kind == "blocking":
                record_blocking(folder.strip())
            else:
                asyncio.run(record_async(folder.strip()))
            os._exit(0)
        os.waitpid(pid, 0)
        receipt("gone", pid)


if __name__ == "__main__":
    main()
