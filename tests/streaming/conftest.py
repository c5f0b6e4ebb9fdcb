"""Servers on loopback, and a source of records that remembers what it was told."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import anyio
import orjson
import pytest

from augur_sdk.streaming.delivery import Item
from augur_sdk.streaming.dsn import DSN
from augur_sdk.streaming.policy import Reason
from augur_sdk.streaming.routes import Wire
from augur_sdk.streaming.sender import Sender
from augur_sdk.testing import CaptureServer, FaultyServer

RUN = "run-1"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer(hold=0.2) as faulty:
        yield faulty


@pytest.fixture
def other() -> Iterator[CaptureServer]:
    with CaptureServer() as capture:
        yield capture


class ListSource:
    """Hands out what it was given, in order; `end` says that there will be no more."""

    def __init__(self) -> None:
        self.acked: list[int] = []
        self.refused: dict[int, tuple[Reason, int]] = {}
        self._queue: list[Item] = []
        self._last = 0
        self._ended = False
        self._changed = anyio.Event()

    @property
    def added(self) -> int:
        return self._last

    def add(
        self,
        kind: Wire,
        body: object,
        *,
        step_index: int | None = None,
        name: str = "",
    ) -> int:
        raw = body if isinstance(body, bytes | Path) else orjson.dumps(body)

        async def load() -> bytes | Path:
            return raw

        self._last += 1
        size = len(raw) if isinstance(raw, bytes) else 0
        self._queue.append(Item(self._last, kind, load, step_index, name, size))
        self._notify()
        return self._last

    def step(self, index: int, status: str = "succeeded", **more: object) -> int:
        return self.add(
            Wire.STEP, {"step_index": index, "status": status, **more}, step_index=index
        )

    def event(self, summary: str, index: int | None = None) -> int:
        return self.add(Wire.EVENT, {"summary": summary}, step_index=index)

    def end(self) -> None:
        self._ended = True
        self._notify()

    def _notify(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    async def next_batch(self, limit: int) -> list[Item]:
        while not self._queue and not self._ended:
            await self._changed.wait()
        batch, self._queue = self._queue[:limit], self._queue[limit:]
        return batch

    def left(self) -> int:
        return self._last - len(self.acked) - len(self.refused)

    def ack(self, seq: int, superseded: Sequence[int]) -> None:
        self.acked += [*superseded, seq]

    def refuse(self, seqs: Sequence[int], reason: Reason, status: int) -> None:
        self.refused |= dict.fromkeys(seqs, (reason, status))


@pytest.fixture
def source() -> ListSource:
    return ListSource()


@pytest.fixture
def new_source() -> Callable[[], ListSource]:
    return ListSource


@pytest.fixture
def sender(server: FaultyServer, source: ListSource) -> Sender:
    return make_sender(server, source)


def make_sender(server: FaultyServer, source: ListSource, seed: int = 0) -> Sender:
    jitter = random.Random(seed)  # noqa: S311 - jitter is no secret
    return Sender(source, DSN.parse(server.dsn), run_id=RUN, session_id="dbg_1", rng=jitter)
