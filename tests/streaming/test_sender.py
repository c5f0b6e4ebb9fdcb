"""The sender against real servers that behave, and that do not."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from augur_sdk.streaming import network, policy, transport
from augur_sdk.streaming.dsn import DSN
from augur_sdk.streaming.network import CREDENTIAL_STRIKES, current_network
from augur_sdk.streaming.outbox import Outbox
from augur_sdk.streaming.policy import Reason
from augur_sdk.streaming.routes import Wire
from augur_sdk.streaming.sender import Sender
from augur_sdk.streaming.transport import MAX_SOCKETS
from augur_sdk.testing import Fault, FaultyServer, ReceivedRequest, Reply
from augur_sdk.testing.faulty import Rule

if TYPE_CHECKING:
    from .conftest import ListSource

pytestmark = pytest.mark.anyio

RUN = "run-1"
DEADLINE = 20.0


@asynccontextmanager
async def running(sender: Sender) -> AsyncIterator[None]:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sender.run)
        yield
        await sender.drain(0.0)


async def until(server: FaultyServer, condition: Callable[[], object]) -> None:
    await anyio.to_thread.run_sync(server.wait_for, condition, DEADLINE)


async def delivered(sender: Sender, source: ListSource, budget: float = DEADLINE) -> bool:
    source.end()
    settled: list[bool] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sender.run)
        settled.append(await sender.drain(budget))
    return settled == [True]


async def test_a_whole_run_arrives(
    server: FaultyServer, source: ListSource, sender: Sender, tmp_path: Path
) -> None:
    shot, trace = tmp_path / "shot.png", tmp_path / "trace.json"
    shot.write_bytes(b"PNG")
    trace.write_bytes(b'{"session":{"status":"succeeded"},"steps":[{}]}')
    source.add(Wire.SESSION, {"run_id": RUN})
    source.step(0, "running")
    source.event("planned", 0)
    source.event("resolved", 0)
    source.event("of the run")
    source.add(Wire.SCREENSHOT, shot, step_index=0, name="pre")
    source.add(Wire.MODELIO, {"layer": "planner"}, step_index=0, name="modelio/0000-planner-0.json")
    source.add(Wire.LOG, {"text": "a\n"}, name="runner")
    source.add(Wire.LOG, {"text": "b\n"}, name="runner")
    source.add(Wire.SIDE_EFFECT, {"side_effect_id": "s", "status": "intent_only"}, name="s")
    source.add(Wire.SIDE_EFFECT, {"side_effect_id": "s", "status": "committed"}, name="s")
    source.add(Wire.REASONING, {"text": "because"}, step_index=0)
    source.add(Wire.OUTCOME, {"scope": "session"})
    source.add(Wire.EVAL_CANDIDATE, {"step_index": 0, "reason": "r"}, step_index=0)
    source.add(Wire.JUDGE_DECISION, {"judge_id": "j"}, step_index=0)
    source.add(Wire.COSTS, {"total_usd": 0.5})
    source.step(0, "succeeded")
    source.add(Wire.TRACE, trace)
    source.add(Wire.MANIFEST, {"run_id": RUN})

    assert await delivered(sender, source)

    run = server.runs[RUN]
    assert run.steps[0]["status"] == "succeeded"
    summaries = [e["summary"] for e in run.events]  # in order within the step, not with the run's
    assert [s for s in summaries if s != "of the run"] == ["planned", "resolved"]
    assert "of the run" in summaries
    assert run.screenshots == {(0, "pre"): b"PNG"}
    assert list(run.modelio) == ["0000-planner-0.json"]
    assert run.logs == {"runner": "a\nb\n"}
    assert [s["status"] for s in run.side_effects] == ["intent_only", "committed"]
    assert run.reasoning == [{"text": "because"}]
    assert run.outcomes == [{"scope": "session"}]
    assert run.eval_candidates == [{"step_index": 0, "reason": "r"}]
    assert run.judge_decisions == {0: [{"judge_id": "j", "step_index": 0}]}
    assert run.costs == {"total_usd": 0.5}
    assert run.trace == {"session": {"status": "succeeded"}, "steps": [{}]}
    assert run.manifest == {"run_id": RUN}
    assert sorted(source.acked) == list(range(1, source.added + 1))
    paths = [r.path for r in server.requests]
    assert paths[0] == f"/runs/{RUN}/trace"
    assert paths[-1] == "/runs"


async def test_each_request_that_adds_up_names_session_and_record(
    server: FaultyServer, source: ListSource, sender: Sender
) -> None:
    source.step(0)
    source.event("a")
    source.event("b")
    assert await delivered(sender, source)
    keys = {r.headers.get("idempotency-key") for r in server.requests}
    assert keys == {None, "dbg_1:2", "dbg_1:3"}


async def test_a_repeat_after_a_lost_answer_carries_the_same_key_and_counts_once(
    server: FaultyServer, source: ListSource, sender: Sender
) -> None:
    server.script(fault=Fault.RESET, stores=True, times=1)
    source.event("only once")
    assert await delivered(sender, source)
    first, second = server.requests
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.body == second.body
    assert len(server.runs[RUN].events) == 1


async def test_the_server_learns_of_the_run_before_anything_else(
    server: FaultyServer, source: ListSource, sender: Sender
) -> None:
    server.known_runs_only = True
    server.script(delay=0.05, path="trace$", times=1, status=500)
    source.add(Wire.SESSION, {"run_id": RUN})
    for index in range(8):
        source.step(index)
    assert await delivered(sender, source)
    assert source.refused == {}


FAULTS: dict[str, dict[str, Any] | None] = {
    "refused": None,
    "hangs": {"fault": Fault.HANG},
    "500": {"status": 500},
    "resets": {"fault": Fault.RESET},
    "resets mid-body": {"fault": Fault.RESET_MID_BODY},
    "closes": {"fault": Fault.CLOSE},
    "junk": {"fault": Fault.JUNK},
    "redirects": {"status": 307, "headers": {"Location": "http://127.0.0.1:9/api/v1"}},
}


async def test_nobody_asks_again_and_again_while_the_opening_is_on_its_way(
    server: FaultyServer, source: ListSource, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, ready = Counter[str](), Outbox.ready

    def counted(outbox: Outbox, now: float) -> bool:
        asked["ready"] += 1
        return ready(outbox, now)

    monkeypatch.setattr(Outbox, "ready", counted)
    server.script(delay=0.3)
    source.add(Wire.SESSION, {"run_id": RUN})
    for index in range(5):
        source.step(index, "running")
    assert await delivered(sender, source)
    assert asked["ready"] < 100


@pytest.mark.parametrize("fault", FAULTS)
async def test_everything_is_delivered_after_recovery(
    fault: str,
    server: FaultyServer,
    source: ListSource,
    sender: Sender,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "READ_TIMEOUT", 0.2)
    monkeypatch.setattr(policy, "BACKOFF_CAP", 0.2)
    script = FAULTS[fault]
    if script is None:
        await anyio.to_thread.run_sync(server.stop_listening)
    else:
        server.script(**script)
    async with running(sender):
        source.add(Wire.SESSION, {"run_id": RUN})
        for index in range(12):
            source.step(index, "running")
            source.event(f"event {index}", index)
            source.step(index, "succeeded")
        await until(server, lambda: sender.stats.retries >= 2)
        if script is None:
            await anyio.to_thread.run_sync(server.listen)
        server.heal()
        source.end()
        assert await sender.drain(DEADLINE)
    run = server.runs[RUN]
    assert {i: s["status"] for i, s in run.steps.items()} == dict.fromkeys(range(12), "succeeded")
    assert sorted(source.acked) == list(range(1, source.added + 1))
    assert len(run.events) >= 12
    assert sender.stats.delivered + sender.stats.superseded == source.added


async def test_bad_json_in_an_acceptance_is_an_acceptance(
    server: FaultyServer, source: ListSource, sender: Sender
) -> None:
    server.script(status=200, body=b"{oops", stores=True)
    source.step(0)
    assert await delivered(sender, source)
    assert len(server.requests) == 1


async def test_an_outage_is_caught_up_in_order_each_keys_latest_once(
    server: FaultyServer, source: ListSource, sender: Sender
) -> None:
    async with running(sender):
        source.add(Wire.SESSION, {"run_id": RUN})
        source.step(0, revision=0)
        await until(server, lambda: RUN in server.runs and server.runs[RUN].steps)
        await anyio.to_thread.run_sync(server.stop_listening)
        before = len(server.requests)
        for revision in range(5):
            for index in range(20):
                source.step(index, revision=revision)
        for index in range(50):
            source.event(str(index))
        source.end()
        await anyio.to_thread.run_sync(server.listen)
        assert await sender.drain(DEADLINE)
    sent = [r for r in server.requests[before:] if r.method == "PUT"]
    counts = Counter((r.path, r.json["revision"]) for r in sent)
    assert set(counts.values()) == {1}
    assert {server.runs[RUN].steps[i]["revision"] for i in range(20)} == {4}
    assert len(sent) <= 20 + MAX_SOCKETS
    assert [e["summary"] for e in server.runs[RUN].events] == [str(n) for n in range(50)]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("asked", ["0", "1", "-1", "junk"])
async def test_retry_after_is_obeyed_by_all_and_everything_arrives(
    status: int, asked: str, server: FaultyServer, source: ListSource, sender: Sender
) -> None:
    server.script(status=status, headers={"Retry-After": asked}, times=MAX_SOCKETS)
    for index in range(10):
        source.step(index)
    assert await delivered(sender, source)
    assert len(server.runs[RUN].steps) == 10
    for refused in (r for r in server.requests if r.status == status):
        again = next(r for r in server.requests if r.path == refused.path and r.at > refused.at)
        assert again.at - refused.at >= (1.0 if asked == "1" else 0.0)


async def test_a_record_that_is_told_to_wait_does_not_hold_up_the_others(
    server: FaultyServer, source: ListSource, sender: Sender
) -> None:
    server.script(status=429, headers={"Retry-After": "60"}, path="/steps/3$")
    for index in range(15):
        source.step(index)
    source.end()
    with anyio.fail_after(DEADLINE):
        assert not await delivered(sender, source, budget=DEADLINE - 1)
    assert server.runs[RUN].steps.keys() == set(range(15)) - {3}
    assert len(server.received("PUT", "/steps/3")) == 1


async def test_when_the_next_one_is_told_to_wait_as_well_everybody_waits(
    server: FaultyServer, source: ListSource, sender: Sender
) -> None:
    server.script(status=429, headers={"Retry-After": "60"})
    for index in range(50):
        source.step(index)
    assert not await delivered(sender, source, budget=1.0)
    assert len(server.requests) <= 2 * MAX_SOCKETS


async def test_a_slow_link_is_filled_at_the_end(
    server: FaultyServer, source: ListSource, sender: Sender
) -> None:
    server.script(delay=0.15, stores=True)
    for index in range(300):
        source.step(index)
    async with running(sender):
        await until(server, lambda: server.runs)
        source.end()
        sender.hurry(time.monotonic() + 5.0)
        assert await sender.drain(DEADLINE)
    assert server.peak_connections > MAX_SOCKETS
    assert len(server.runs[RUN].steps) == 300


async def test_one_probe_an_interval(
    server: FaultyServer, source: ListSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "BACKOFF_FLOOR", 0.1)
    monkeypatch.setattr(policy, "BACKOFF_CAP", 0.2)
    dsn = DSN.parse(server.dsn)
    server.script(status=429, headers={"Retry-After": "0"}, delay=0.02)
    senders = [Sender(source, dsn, run_id=RUN, session_id="s", rng=random.Random(1))]  # noqa: S311
    async with running(senders[0]):
        for index in range(20):
            source.step(index)
        await until(server, lambda: len(server.requests) >= MAX_SOCKETS + 4)
        server.heal()
        source.end()
        assert await senders[0].drain(DEADLINE)
    probes = [r.at for r in server.requests if r.status == 429][MAX_SOCKETS:]
    assert all(b - a >= 0.1 for a, b in pairwise(probes))


async def test_a_pause_longer_than_the_budget_is_not_waited_for(
    server: FaultyServer, source: ListSource, sender: Sender
) -> None:
    server.script(status=503, headers={"Retry-After": "60"})
    source.step(0)
    source.end()
    with anyio.fail_after(DEADLINE):
        assert not await delivered(sender, source, budget=DEADLINE + 10)
    assert source.acked == []
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, Reason.BAD_REQUEST),
        (401, Reason.CREDENTIAL),
        (403, Reason.CREDENTIAL),
        (404, Reason.UNKNOWN),
        (413, Reason.TOO_LARGE),
        (415, Reason.UNSUPPORTED),
        (422, Reason.UNPROCESSABLE),
    ],
)
async def test_a_refused_record_costs_one_request_and_is_counted(
    status: int, reason: Reason, server: FaultyServer, source: ListSource, sender: Sender
) -> None:
    server.script(status=status)
    for index in range(10):
        source.step(index)
    assert await delivered(sender, source)
    assert Counter(r.path for r in server.requests) == {
        f"/runs/{RUN}/steps/{i}": 1 for i in range(10)
    }
    assert source.refused == dict.fromkeys(range(1, 11), (reason, status))
    assert sender.stats.refused == {reason.value: 10}
    assert source.acked == []


async def test_the_neighbours_of_a_refused_event_arrive(
    server: FaultyServer, source: ListSource, sender: Sender
) -> None:
    def answer(request: ReceivedRequest) -> Reply:
        if b"poison" in request.body:
            return Reply(422)
        return super(FaultyServer, server).respond(request)

    server.add(Rule(answer, path="events$"))
    seqs = [source.event(text) for text in ("a", "poison", "b")]
    assert await delivered(sender, source)
    assert [e["summary"] for e in server.runs[RUN].events] == ["a", "b"]
    assert source.refused == {seqs[1]: (Reason.UNPROCESSABLE, 422)}
    assert len(server.requests) == 3


async def test_a_403_on_modelio_closes_that_channel_only(
    server: FaultyServer, source: ListSource, sender: Sender
) -> None:
    server.modelio = False
    async with running(sender):
        source.add(Wire.MODELIO, {}, name="modelio/0.json")
        await until(server, lambda: server.requests and server.requests[0].status == 403)
        for n in range(1, 10):
            source.add(Wire.MODELIO, {}, name=f"modelio/{n}.json")
            source.step(n)
        source.end()
        assert await sender.drain(DEADLINE)
    assert len(server.received("POST", ".json")) == 1
    assert len(server.runs[RUN].steps) == 9
    assert sender.stats.refused == {"channel_closed": 10}


async def test_a_wrong_credential_stops_asking_and_keeps_the_rest_pending(
    server: FaultyServer, source: ListSource, sender: Sender
) -> None:
    server.token = "another"
    dsn = DSN.parse(server.dsn.replace("another", "wrong"))
    sender = Sender(source, dsn, run_id=RUN, session_id="s")
    for index in range(500):
        source.step(index)
    assert not await delivered(sender, source)
    assert CREDENTIAL_STRIKES <= len(server.requests) < CREDENTIAL_STRIKES + MAX_SOCKETS
    assert len(source.refused) == len(server.requests)


async def test_a_credential_that_works_again_lifts_the_lock(
    server: FaultyServer, source: ListSource, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "CREDENTIAL_STRIKES", 4)
    server.script(status=401)
    async with running(sender):
        for index in range(50):
            source.step(index)
        host = current_network().host(DSN.parse(server.dsn))
        await until(server, lambda: host.locked_out)
        server.heal()
        host.settled(host.begin(), policy.Delivered())
        source.end()
        assert await sender.drain(DEADLINE)
    assert len(server.runs[RUN].steps) + len(source.refused) == 50


async def test_one_record_that_breaks_the_server_does_not_stop_the_others(
    server: FaultyServer, source: ListSource, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "BACKOFF_CAP", 0.1)
    server.script(status=500, path="/steps/3$")
    source.add(Wire.SESSION, {})
    for index in range(20):
        source.step(index)
    source.add(Wire.TRACE, {"session": {}, "steps": []})
    source.add(Wire.MANIFEST, {"run_id": RUN})
    async with running(sender):
        await until(server, lambda: RUN in server.runs and server.runs[RUN].manifest)
    assert sorted(server.runs[RUN].steps) == [i for i in range(20) if i != 3]
    assert source.refused == {}


@pytest.mark.parametrize("seed", range(10))
async def test_a_steps_status_never_moves_backwards(
    seed: int, server: FaultyServer, source: ListSource, sender: Sender
) -> None:
    chance = random.Random(seed)  # noqa: S311 - which answers are slow is no secret
    revisions: dict[int, int] = {}

    def slow(request: ReceivedRequest) -> Reply:
        # Applied when the answer goes out, as by a server whose workers overtake each other.
        lost = chance.random() < 0.05
        delay = chance.random() * 0.01
        time.sleep(delay)
        step = request.json
        assert step["revision"] >= revisions.get(step["step_index"], -1)
        revisions[step["step_index"]] = step["revision"]
        return Reply(201, fault=Fault.RESET if lost else None)

    server.add(Rule(slow, method="PUT", path="/steps/"))
    order = [(i, r) for i in range(200) for r in range(3)]
    async with running(sender):
        for index, revision in sorted(order, key=lambda pair: pair[0] + pair[1] * 3):
            source.step(index, revision=revision)
            if chance.random() < 0.1:
                await anyio.sleep(0.001)
        source.end()
        assert await sender.drain(DEADLINE)
    assert revisions == dict.fromkeys(range(200), 2)


async def test_at_most_four_sockets(
    server: FaultyServer, source: ListSource, sender: Sender
) -> None:
    server.script(delay=0.02, stores=True)
    for index in range(60):
        source.step(index)
    assert await delivered(sender, source)
    assert server.peak_connections == MAX_SOCKETS


async def test_polls_take_their_sockets_out_of_the_same_four(
    server: FaultyServer, source: ListSource, sender: Sender
) -> None:
    server.hold = 5.0
    server.script(delay=0.02, stores=True, method="PUT")
    shared = current_network()
    with shared.polling(DSN.parse(server.dsn)) as poll:
        async with poll, anyio.create_task_group() as tasks:
            call = transport.Call("GET", f"/runs/{RUN}/commands", read_timeout=10)
            tasks.start_soon(poll.exchange, call)
            await until(server, lambda: server.connections == 1)
            for index in range(40):
                source.step(index)
            assert await delivered(sender, source)
            tasks.cancel_scope.cancel()
    assert server.peak_connections == MAX_SOCKETS
    assert shared.sockets.total_tokens == MAX_SOCKETS


async def test_several_sessions_share_the_sockets(
    server: FaultyServer, new_source: Callable[[], ListSource]
) -> None:
    server.script(delay=0.01, stores=True)
    sources = [new_source() for _ in range(5)]
    dsn = DSN.parse(server.dsn)
    senders = [
        Sender(source, dsn, run_id=f"run-{n}", session_id=str(n))
        for n, source in enumerate(sources)
    ]
    async with anyio.create_task_group() as tasks:
        for source, sender in zip(sources, senders, strict=True):
            for index in range(10):
                source.step(index)
            tasks.start_soon(delivered, sender, source)
    assert len(server.runs) == 5
    assert server.peak_connections <= MAX_SOCKETS


async def test_a_body_that_is_gone_is_counted_and_its_neighbours_arrive(
    server: FaultyServer, source: ListSource, sender: Sender, tmp_path: Path
) -> None:
    gone = source.add(Wire.SCREENSHOT, tmp_path / "gone.png", step_index=0, name="pre")
    source.step(0)
    assert await delivered(sender, source)
    assert source.refused == {gone: (Reason.UNREADABLE, 0)}
    assert list(server.runs[RUN].steps) == [0]


async def test_empty_costs_are_settled_without_a_request(
    server: FaultyServer, source: ListSource, sender: Sender
) -> None:
    source.add(Wire.COSTS, {})
    assert await delivered(sender, source)
    assert source.acked == [1]
    assert server.requests == []


async def test_a_hanging_server_costs_the_budget_and_no_more(
    server: FaultyServer, source: ListSource, sender: Sender
) -> None:
    server.script(fault=Fault.HANG)
    for index in range(10):
        source.step(index)
    with anyio.fail_after(5.0):
        assert not await delivered(sender, source, budget=0.2)
    assert source.acked == []


async def test_the_backlog_of_a_long_outage_is_held_outside_the_sender(
    server: FaultyServer, source: ListSource, sender: Sender
) -> None:
    from augur_sdk.streaming.sender import OUTBOX_LIMIT

    await anyio.to_thread.run_sync(server.stop_listening)
    async with running(sender):
        for index in range(2000):
            source.step(index)
        await until(server, lambda: sender.stats.retries >= 1)
        assert len(sender._outbox) <= OUTBOX_LIMIT
