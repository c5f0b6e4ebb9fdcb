"""How each record ends, against the server's own log; what waits for its step; flush."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from scenarios import event, png, step

from augur_sdk import AsyncDebugSession, DebugSession
from augur_sdk.session.stats import SessionStats
from augur_sdk.testing import FaultyServer

RUN = "run/1"


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer(hold=5.0) as faulty:
        yield faulty


def open_session(folder: Path, dsn: str, **options: Any) -> DebugSession:
    given = {"run_id": RUN, "capture_mode": "full", "client_name": "agent", **options}
    return DebugSession(out_dir=folder, dsn=dsn, **given)


def sum_of_ends(stats: SessionStats) -> int:
    refused = sum(stats.refused.values())
    return stats.delivered + stats.superseded + refused + stats.waiting + stats.bundle_only


def test_each_iteration_arrives_and_the_canonical_step_last(
    server: FaultyServer, tmp_path: Path
) -> None:
    with open_session(tmp_path / "b", server.dsn) as session:
        for index in range(3):
            session.record_step(step(index))
            server.wait_for(lambda: set(range(index + 1)) <= server.run(RUN).steps.keys())  # noqa: B023 - called at once
            for attempt in range(9):
                again = step(index, step_id=f"s{index}-{attempt}", attempt=attempt)
                session.record_step_iteration(index, again)
    history = server.runs[RUN].step_history
    for index in range(3):
        ids = [found["step_id"] for found in history if found["step_index"] == index]
        assert {f"s{index}-{attempt}" for attempt in range(9)} < set(ids)
        assert ids[-1] == f"s{index}"
    stats = session.stats
    assert stats.waiting == 0
    assert sum_of_ends(stats) == stats.stored == stats.accepted


def test_delivered_is_what_the_server_answered_for(server: FaultyServer, tmp_path: Path) -> None:
    server.modelio = False
    server.script(status=422, path="/steps/2$")
    with open_session(tmp_path / "b", server.dsn) as session:
        for index in range(4):
            session.record_step(step(index, status="running"))
            session.attach_observation(step_index=index, kind="pre", png_bytes=png(index))
            session.record_event(event(index))
            session.record_modelio({"response": {}}, step_index=index, validate=False)
            session.record_step(step(index))
            session.set_score(index, 0.5)
    stats = session.stats
    accepted = [
        request.path
        for request in server.requests
        if request.status == 201 and request.path not in {"/heartbeat", "/runs"}
    ]
    assert stats.delivered == len(accepted) - 1  # the trace belongs to no record
    assert stats.refused[403] == 4
    assert stats.refused[422] > 0
    assert sum_of_ends(stats) == stats.stored == stats.accepted
    assert not {path.name for path in (tmp_path / "b").iterdir()} & {
        "journal.jsonl",
        "delivery.json",
    }


def test_without_a_server_nothing_is_delivered(tmp_path: Path) -> None:
    with open_session(tmp_path / "b", "") as session:
        session.record_step(step(0))
    stats = session.stats
    assert stats.delivered == 0
    assert stats.waiting == stats.stored > 0


def test_a_wrong_credential_keeps_everything_waiting(server: FaultyServer, tmp_path: Path) -> None:
    dsn = server.dsn.replace(server.token, "wrong")
    with open_session(tmp_path / "b", dsn) as session:
        session.record_step(step(0))
    assert session.stats.refused == {}
    assert session.stats.waiting == session.stats.stored
    assert (tmp_path / "b" / "journal.jsonl").exists()


def before_step(session: DebugSession, index: int) -> None:
    session.attach_observation(step_index=index, kind="pre", png_bytes=png(index))
    session.record_event(event(index))
    session.record_reasoning(index, "because")


def seen(server: FaultyServer) -> Counter[str]:
    return Counter(request.path.split("/")[-1] for request in server.requests)


def test_what_an_operator_watches_waits_for_no_step(server: FaultyServer, tmp_path: Path) -> None:
    with open_session(tmp_path / "b", server.dsn) as session:
        before_step(session, 0)
        session.append_log("about to pay\n", step_index=0)
        session.declare_side_effect(0, "orders/1", "pay")
        session.set_costs(total_usd=0.5)
        stats = session.flush(delivered=True)
        assert stats.held == stats.waiting == 3
        assert server.run(RUN).logs == {"step-0": "about to pay\n"}
        assert [effect["status"] for effect in server.run(RUN).side_effects] == ["intent_only"]
        assert server.run(RUN).costs == {"total_usd": 0.5}
        assert not {"pre", "events", "reasoning"} & seen(server).keys()
    assert {"pre", "events", "reasoning"} < seen(server).keys()


@pytest.mark.parametrize("how", ["announced before", "announced after", "at once", "step builder"])
def test_an_operator_sees_what_the_agent_sees_before_it_acts(
    server: FaultyServer, tmp_path: Path, how: str
) -> None:
    live = "at_once" if how == "at once" else None
    with open_session(tmp_path / "b", server.dsn, live=live) as session:
        if how == "announced before":
            session.announce_step(0)
        builder = session.step("click")
        if how == "step builder":
            builder.__enter__()
        before_step(session, 0)
        if how == "announced after":
            session.announce_step(0, sensitive=False)
        assert session.flush(delivered=True).held == 0
        assert {"pre", "events", "reasoning"} < seen(server).keys()
        if how == "step builder":
            builder.__exit__(None, None, None)


def test_a_step_announced_as_sensitive_goes_on_waiting(
    server: FaultyServer, tmp_path: Path
) -> None:
    with open_session(tmp_path / "b", server.dsn) as session:
        session.announce_step(0, sensitive=True)
        before_step(session, 0)
        assert session.flush(delivered=True).held == 3
        session.record_step(step(0, sensitive=True))
    assert not {"pre", "events", "reasoning"} & seen(server).keys()


def test_what_live_cannot_be_is_refused(server: FaultyServer, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at_once"):
        open_session(tmp_path / "b", server.dsn, live="now")


def test_flush_delivered_has_delivered_or_says_what_is_left(
    server: FaultyServer, tmp_path: Path
) -> None:
    server.script(delay=0.05, stores=True)
    with open_session(tmp_path / "b", server.dsn) as session:
        for index in range(10):
            session.record_step(step(index))
        assert session.flush(delivered=True).waiting == 0
        assert server.run(RUN).steps.keys() == set(range(10))
        with server.down():
            session.record_step(step(10))
            assert session.flush(timeout=0.2, delivered=True).waiting == 1


def test_the_async_class_announces_and_flushes_alike(server: FaultyServer, tmp_path: Path) -> None:
    async def main() -> SessionStats:
        session = AsyncDebugSession(
            run_id=RUN, client_name="a", out_dir=tmp_path, capture_mode="full", dsn=server.dsn
        )
        async with session:
            await session.announce_step(3)
            await session.attach_observation(step_index=3, kind="pre", png_bytes=png())
            stats = await session.flush(delivered=True)
            assert server.run(RUN).screenshots.keys() == {(3, "pre")}
        return stats

    assert anyio.run(main).waiting == 0
