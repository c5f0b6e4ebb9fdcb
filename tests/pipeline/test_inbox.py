from __future__ import annotations

import threading
from concurrent.futures import TimeoutError as FutureTimeoutError

import pytest

from augur_sdk.entry import Entry, Kind
from augur_sdk.pipeline import inbox as inbox_module
from augur_sdk.pipeline.inbox import Inbox
from augur_sdk.pipeline.losses import Losses, Reason


def entry(seq: int, size: int = 10) -> Entry:
    return Entry(Kind.EVENT, b"x" * size, seq=seq)


@pytest.fixture
def losses() -> Losses:
    return Losses("a test")


def test_nobody_rings_while_the_pump_looks_by_itself(losses: Losses) -> None:
    rings: list[None] = []
    inbox = Inbox(lambda: rings.append(None), losses)
    for seq in range(100):
        inbox.push(entry(seq))
    assert not inbox.sleep()
    assert rings == []


def test_the_first_entry_after_the_pump_slept_rings_once(losses: Losses) -> None:
    rings: list[None] = []
    inbox = Inbox(lambda: rings.append(None), losses)
    assert inbox.sleep()
    for seq in range(100):
        inbox.push(entry(seq))
    assert len(rings) == 1
    inbox.take(100, 10**9)
    inbox.push(entry(100))
    assert len(rings) == 1


def test_entries_come_out_in_order_in_batches_bounded_both_ways(losses: Losses) -> None:
    inbox = Inbox(lambda: None, losses)
    for seq in range(10):
        inbox.push(entry(seq, 100))
    assert [e.seq for e in inbox.take(3, 10**9)] == [0, 1, 2]
    assert [e.seq for e in inbox.take(100, 150)] == [3, 4]
    assert [e.seq for e in inbox.take(100, 1)] == [5]
    assert [e.seq for e in inbox.take(100, 10**9)] == [6, 7, 8, 9]
    assert inbox.take(100, 10**9) == []


def test_a_full_inbox_lets_waiters_go_on_once_there_is_room(losses: Losses) -> None:
    inbox = Inbox(lambda: None, losses)
    inbox.push(entry(0, inbox_module.MAX_BYTES))
    assert inbox.full
    waiting = inbox.room()
    with pytest.raises(FutureTimeoutError):
        waiting.result(0)
    inbox.take(1, 1)
    waiting.result(1)
    inbox.room().result(0)


def test_a_full_inbox_on_a_failing_disk_drops_and_counts_instead_of_waiting(
    losses: Losses,
) -> None:
    inbox = Inbox(lambda: None, losses)
    inbox.push(entry(0, inbox_module.MAX_BYTES))
    waiting = inbox.room()
    inbox.shed(Reason.DISK_FULL)
    waiting.result(0)
    inbox.push(entry(1))
    assert losses.dropped == {"disk_full": 1}
    assert inbox.last_seq == 0
    inbox.shed(None)
    inbox.take(1, 1)
    inbox.push(entry(2))
    assert inbox.last_seq == 2


def test_many_threads_lose_no_entry(losses: Losses) -> None:
    inbox = Inbox(lambda: None, losses)

    def push(start: int) -> None:
        for seq in range(start, start + 500):
            inbox.push(entry(seq))

    threads = [threading.Thread(target=push, args=(n * 500,)) for n in range(4)]
    for thread in threads:
        thread.start()
    taken: list[Entry] = []
    while any(t.is_alive() for t in threads) or len(inbox):
        taken += inbox.take(64, 10**9)
    for thread in threads:
        thread.join()
    assert sorted(e.seq for e in taken) == list(range(2000))
