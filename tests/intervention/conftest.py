"""A server with commands, a session that remembers, and a poller between them."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from augur_sdk.intervention.gate import Gate
from augur_sdk.intervention.poller import CommandPoller
from augur_sdk.streaming.dsn import DSN
from augur_sdk.testing import FaultyServer

RUN = "run-1"


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer(hold=5.0) as faulty:
        yield faulty


class RecordingHost:
    """What the poller needs of a session; `order` is what happened, in order."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.events: list[dict[str, Any]] = []

    def record_event(self, event: dict[str, Any]) -> None:
        self.order.append(event["summary"])
        self.events.append(event)

    def abort_pending_side_effects(self, reason: str) -> list[str]:
        self.order.append(f"aborted: {reason}")
        return []


class RecordingAdapter:
    """Has every hook, plain; `calls` is what was called."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def on_pause(self) -> None:
        self.calls.append(("pause",))

    def on_resume(self) -> None:
        self.calls.append(("resume",))

    def on_kill(self) -> None:
        self.calls.append(("kill",))

    def on_inject_hint(self, text: str) -> None:
        self.calls.append(("hint", text))

    def on_action_override(self, coords: dict[str, float], provenance: str) -> None:
        self.calls.append(("override", coords, provenance))


@pytest.fixture
def host() -> RecordingHost:
    return RecordingHost()


@pytest.fixture
def adapter() -> RecordingAdapter:
    return RecordingAdapter()


@pytest.fixture
def gate() -> Gate:
    return Gate(RUN)


@pytest.fixture
def new_poller(
    server: FaultyServer, host: RecordingHost, gate: Gate
) -> Callable[..., CommandPoller]:
    def make(adapter: object = None, **options: Any) -> CommandPoller:
        jitter = random.Random(0)  # noqa: S311 - jitter is no secret
        return CommandPoller(
            DSN.parse(server.dsn),
            run_id=RUN,
            gate=gate,
            host=host,
            adapter=adapter,
            rng=jitter,
            **options,
        )

    return make


@pytest.fixture
def polling() -> Callable[[CommandPoller], Any]:
    @asynccontextmanager
    async def run(poller: CommandPoller) -> AsyncIterator[CommandPoller]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(poller.run)
            yield poller
            poller.stop()

    return run
