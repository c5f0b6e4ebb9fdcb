"""At most 500 ms are lost through a power cut: when syncs begin and end, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, ParamSpec, TypeVar, cast

import anyio
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from virtual_clock import AtOnce, run_in_virtual_time

from augur_sdk.bundle.archive import Archive
from augur_sdk.bundle.journal import JournalFile
from augur_sdk.entry import Entry, Kind
from augur_sdk.pipeline.inbox import Inbox
from augur_sdk.pipeline.intake import Intake
from augur_sdk.pipeline.losses import Losses
from augur_sdk.pipeline.portal import Runtime
from augur_sdk.pipeline.progress import Progress
from augur_sdk.pipeline.projector import Syncer
from augur_sdk.pipeline.pump import POLL, Batch, Pump
from augur_sdk.pipeline.stored import StoredNews
from augur_sdk.pipeline.writer import Writer
from augur_sdk.redaction import DefaultRedactionPolicy, RedactionDoor

pytestmark = pytest.mark.may_block  # the loop is ours, and its time stands still

P = ParamSpec("P")
T = TypeVar("T")

PROMISED: Final = 0.5
BATCH_TAKES: Final = 0.01
SYNC_TAKES: Final = 0.05
"""Seconds: what a batch and a sync take on a disk in good order."""


class TimedWorkers:
    """The runtime as writer and syncer use it: each job takes a given time and no thread."""

    workers = AtOnce()

    async def in_worker(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        syncs = function.__name__ == "sync"
        result = function(*args, **kwargs)
        await anyio.sleep(SYNC_TAKES if syncs else BATCH_TAKES)
        return result


class SyncedJournal(JournalFile):
    """Remembers how much of the journal each sync covered, and when it had."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.syncs: list[tuple[float, int]] = []

    def sync(self) -> None:
        self.syncs.append((asyncio.get_running_loop().time() + SYNC_TAKES, self.size))


def ages_when_synced(pauses: list[float], *, durable: bool) -> list[float]:
    """Record after each pause; how old each record was when a sync had covered it."""

    async def main() -> list[float]:
        with TemporaryDirectory() as folder:
            archive = Archive(Path(folder), RedactionDoor(DefaultRedactionPolicy()), policy_id="p")
            archive.journal = journal = SyncedJournal(archive.journal.path)
            archive.open()
            recorded = await record_all(archive, pauses, durable=durable)
            ends = [line.ref.offset + line.ref.length for line in archive.lines()]
            archive.dispose(keep_journal=True)
        first = [min(at for at, size in journal.syncs if size >= end) for end in ends]
        return [synced - at for at, synced in zip(recorded, first, strict=True)]

    return run_in_virtual_time(main)


async def record_all(archive: Archive, pauses: list[float], *, durable: bool) -> list[float]:
    losses = Losses("test")

    def ring() -> None:
        pump.ring()

    inbox = Inbox(ring, losses)
    intake = Intake(archive, inbox, losses, Progress())
    runtime = cast("Runtime", TimedWorkers())
    send, receive = anyio.create_memory_object_stream[Batch](0)
    news = StoredNews()
    turn = anyio.Semaphore(1)
    pump = Pump(intake, send, turn)
    recorded = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pump.run)
        tasks.start_soon(Writer(runtime, intake, receive, news, turn, durable=durable).run)
        tasks.start_soon(Syncer(runtime, archive, news.reader("syncer")).run)
        for number, pause in enumerate(pauses, 1):
            await anyio.sleep(pause)
            inbox.push(Entry(Kind.EVENT, b"{}", path="events/run.jsonl", seq=number))
            recorded.append(asyncio.get_running_loop().time())
        await anyio.sleep(1.0)
        pump.stop()
    return recorded


pauses = st.lists(st.floats(0, 0.7), min_size=1, max_size=40)


@given(pauses)
@example([0.001] * 1000)
@example([0.0, 0.42, 0.02, 0.005])
@settings(max_examples=100)
def test_every_record_is_synced_before_it_is_500_ms_old(pauses: list[float]) -> None:
    assert max(ages_when_synced(pauses, durable=False)) <= PROMISED


@given(pauses)
@example([0.0, 0.0, 0.0])
@settings(max_examples=30)
def test_durable_syncs_every_batch_before_its_calls_return(pauses: list[float]) -> None:
    batch_in_hand = 2 * BATCH_TAKES + SYNC_TAKES
    assert max(ages_when_synced(pauses, durable=True)) <= POLL + 2 * batch_in_hand
