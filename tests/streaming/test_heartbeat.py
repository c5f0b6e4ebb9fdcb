from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import anyio
import pytest

from augur_sdk.streaming.dsn import DSN
from augur_sdk.streaming.heartbeat import INTERVAL, SPREAD, Heartbeat
from augur_sdk.testing import Fault, FaultyServer

pytestmark = pytest.mark.anyio

CLIENT = {
    "client_id": "c",
    "client_name": "agent",
    "client_version": "1.2",
    "capture_mode": "trace",
    "run_id": "run-1",
}


@asynccontextmanager
async def beating(
    server: FaultyServer, interval: float = 0.05, describe: Callable[[], Any] = lambda: CLIENT
) -> AsyncIterator[Heartbeat]:
    jitter = random.Random(0)  # noqa: S311 - jitter is no secret
    heartbeat = Heartbeat(DSN.parse(server.dsn), describe, interval=interval, rng=jitter)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(heartbeat.run)
        yield heartbeat
        tasks.cancel_scope.cancel()


async def until(server: FaultyServer, condition: Callable[[], object]) -> None:
    await anyio.to_thread.run_sync(server.wait_for, condition)


async def test_the_first_beat_says_that_the_session_opened(server: FaultyServer) -> None:
    async with beating(server):
        await until(server, lambda: len(server.heartbeats) >= 3)
    assert server.heartbeats[0] == {**CLIENT, "last_event": "session_opened"}
    assert server.heartbeats[1] == CLIENT


async def test_the_first_beat_does_not_wait_for_the_interval(server: FaultyServer) -> None:
    async with beating(server, interval=1000):
        await until(server, lambda: server.heartbeats)


async def test_the_opening_is_said_again_until_it_was_heard(server: FaultyServer) -> None:
    server.script(status=500, times=1)
    server.script(fault=Fault.RESET, times=1)
    async with beating(server):
        await until(server, lambda: len(server.heartbeats) >= 2)
    assert [beat.get("last_event") for beat in server.heartbeats[:2]] == ["session_opened", None]


async def test_what_is_unknown_is_left_out(server: FaultyServer) -> None:
    async with beating(server, describe=lambda: {**CLIENT, "run_id": None}):
        await until(server, lambda: server.heartbeats)
    assert "run_id" not in server.heartbeats[0]


async def test_a_version_that_nobody_knows_is_null(server: FaultyServer) -> None:
    unversioned = {name: CLIENT[name] for name in CLIENT if name != "client_version"}
    async with beating(server, describe=lambda: unversioned):
        await until(server, lambda: server.heartbeats)
    assert server.heartbeats[0]["client_version"] is None


async def test_a_pause_that_the_server_asked_for_silences_it(server: FaultyServer) -> None:
    server.script(status=429, headers={"Retry-After": "1"}, times=1)
    async with beating(server, interval=0.02):
        await until(server, lambda: server.heartbeats)
    refused, accepted = server.requests[:2]
    assert accepted.at - refused.at >= 1.0


async def test_beats_keep_their_pace_whatever_the_answers_cost(server: FaultyServer) -> None:
    server.script(delay=0.05, stores=True)
    async with beating(server, interval=0.2):
        await until(server, lambda: len(server.requests) >= 6)
    gaps = [b.at - a.at for a, b in pairwise(server.requests)]
    assert sum(gaps) / len(gaps) < 0.25


async def test_it_stops_at_once_in_the_middle_of_a_beat(server: FaultyServer) -> None:
    server.script(fault=Fault.HANG)
    with anyio.fail_after(2.0):
        async with beating(server):
            await until(server, lambda: server.requests)


def test_the_contracts_tolerance_covers_the_spread() -> None:
    assert INTERVAL == 15
    assert SPREAD <= 1
