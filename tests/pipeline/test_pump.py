"""The pump in virtual time: when it looks, when it sleeps, how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import pytest
from virtual_clock import run_in_virtual_time

from augur_sdk.bundle.archive import Archive
from augur_sdk.entry import Entry, Kind
from augur_sdk.pipeline.inbox import Inbox
from augur_sdk.pipeline.intake import Intake
from augur_sdk.pipeline.losses import Losses
from augur_sdk.pipeline.progress import Progress
from augur_sdk.pipeline.pump import POLL, QUIET, Batch, Pump
from augur_sdk.redaction import DefaultRedactionPolicy, RedactionDoor

pytestmark = pytest.mark.may_block  # the loop is ours, and its time stands still


class Rig:
    """A pump over an inbox, and what it sent by when."""

    def __init__(self, folder: Path) -> None:
        losses = Losses("test")
        self.rings = 0
        self.inbox = Inbox(self._ring, losses)
        archive = Archive(folder, RedactionDoor(DefaultRedactionPolicy()), policy_id="p")
        send, self.batches = anyio.create_memory_object_stream[Batch](0)
        self._turn = anyio.Semaphore(1)
        self.pump = Pump(Intake(archive, self.inbox, losses, Progress()), send, self._turn)
        self.sent: list[tuple[float, list[int]]] = []
        self._seq = 0

    def _ring(self) -> None:
        self.rings += 1
        self.pump.ring()

    def record(self) -> None:
        self._seq += 1
        self.inbox.push(Entry(Kind.EVENT, b"{}", path="events/run.jsonl", seq=self._seq))

    async def busy(self) -> None:
        """The writer has a batch in hand from now on."""
        await self._turn.acquire()

    def free(self) -> None:
        """The writer is done with it."""
        self._turn.release()

    async def read(self) -> None:
        with self.batches:
            async for batch in self.batches:
                now = asyncio.get_running_loop().time()
                self.sent += [(now, [entry.seq for entry in batch])]
                self._turn.release()


@asynccontextmanager
async def running() -> AsyncIterator[Rig]:
    with TemporaryDirectory() as folder:
        rig = Rig(Path(folder))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(rig.pump.run)
            tasks.start_soon(rig.read)
            yield rig
            rig.pump.stop()


def test_calls_less_than_a_second_apart_never_wake_the_loop() -> None:
    async def main() -> tuple[int, list[list[int]]]:
        async with running() as rig:
            for _ in range(20):
                await anyio.sleep(QUIET * 0.9)
                rig.record()
            await anyio.sleep(2 * POLL)
            return rig.rings, [seqs for _, seqs in rig.sent]

    assert run_in_virtual_time(main) == (0, [[seq] for seq in range(1, 21)])


def test_a_record_leaves_the_inbox_within_one_poll_also_after_a_long_pause() -> None:
    async def main() -> float:
        async with running() as rig:
            await anyio.sleep(60)
            rig.record()
            await anyio.sleep(2 * POLL)
            assert rig.rings == 1
            return rig.sent[0][0]

    assert run_in_virtual_time(main) <= 60 + POLL + 1e-9


def test_an_idle_pump_sleeps() -> None:
    async def main() -> bool:
        async with running() as rig:
            await anyio.sleep(QUIET + 3 * POLL)
            return rig.pump._timer is None

    assert run_in_virtual_time(main)


def test_hurry_sends_at_once_what_waits() -> None:
    async def main() -> float:
        async with running() as rig:
            await anyio.sleep(0.5 + POLL / 2)
            before = asyncio.get_running_loop().time()
            rig.record()
            rig.pump.hurry()
            await anyio.wait_all_tasks_blocked()
            return rig.sent[0][0] - before

    assert run_in_virtual_time(main) == 0


def test_what_comes_while_the_writer_works_is_one_batch() -> None:
    async def main() -> list[list[int]]:
        async with running() as rig:
            await rig.busy()
            for _ in range(5):
                await anyio.sleep(POLL)
                rig.record()
            rig.free()
            await anyio.sleep(2 * POLL)
            return [seqs for _, seqs in rig.sent]

    assert run_in_virtual_time(main) == [[1, 2, 3, 4, 5]]


def test_a_ring_without_entries_sends_an_empty_batch_for_the_notes() -> None:
    async def main() -> list[list[int]]:
        async with running() as rig:
            await anyio.sleep(60)
            rig.pump.ring()
            await anyio.sleep(2 * POLL)
            return [seqs for _, seqs in rig.sent]

    assert run_in_virtual_time(main) == [[]]


def test_stopping_closes_the_stream_and_leaves_the_rest_in_the_inbox() -> None:
    async def main() -> tuple[int, list[tuple[float, list[int]]]]:
        async with running() as rig:
            await anyio.sleep(0.1)
            rig.pump.stop()
            rig.record()
        return len(rig.inbox), rig.sent

    assert run_in_virtual_time(main) == (1, [])


def test_a_writer_that_is_gone_ends_the_pump() -> None:
    async def main() -> None:
        with TemporaryDirectory() as folder:
            rig = Rig(Path(folder))
            rig.batches.close()
            rig.record()
            with anyio.fail_after(5):
                await rig.pump.run()

    run_in_virtual_time(main)
