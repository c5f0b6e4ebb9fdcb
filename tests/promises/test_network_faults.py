"""A server that fails in every way: the agent goes on, the bundle is whole, all is delivered."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from scenarios import event, png, read_json, step

from augur_sdk import DebugSession
from augur_sdk.streaming.transport import MAX_SOCKETS
from augur_sdk.testing import CaptureServer, Fault, FaultyServer, ReceivedRequest, Reply
from augur_sdk.testing.faulty import Rule
from augur_sdk.validation import validate_bundle

RUN = "run-1"
STEPS = 10
RECOVERY = 10.0
"""Seconds in which everything is delivered once the server is well."""


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer() as faulty:
        yield faulty


def open_session(folder: Path, server: CaptureServer, **options: Any) -> DebugSession:
    given = {"capture_mode": "full", "dsn": server.dsn, **options}
    return DebugSession(run_id=RUN, client_name="agent", out_dir=folder, **given)


def record(session: DebugSession, indices: range) -> None:
    for index in indices:
        session.attach_observation(step_index=index, kind="pre", png_bytes=png(index))
        session.record_event(event(index))
        session.record_step(step(index, status="running"))
        session.record_step(step(index))


def delivered(session: DebugSession) -> bool:
    return session.flush().pending == 0


FAULTS: dict[str, dict[str, Any]] = {
    "500": {"status": 500},
    "503": {"status": 503},
    "reset": {"fault": Fault.RESET},
    "reset in mid-body": {"fault": Fault.RESET_MID_BODY},
    "closed": {"fault": Fault.CLOSE},
    "not HTTP": {"fault": Fault.JUNK},
    "redirect": {"status": 307, "headers": {"Location": "http://127.0.0.1:9/api/v1"}},
    "hangs": {"fault": Fault.HANG},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_whatever_the_server_does_everything_is_delivered_once_it_is_well(
    server: FaultyServer, tmp_path: Path, fault: dict[str, Any]
) -> None:
    server.script(**fault)
    with open_session(tmp_path / "b", server) as session:
        record(session, range(STEPS))
        session.flush()
        assert session.stats.queued == 0
        server.wait_for(lambda: len(server.requests) > 1)
        server.heal()
        server.wait_for(lambda: delivered(session), RECOVERY)
    assert server.runs[RUN].steps.keys() == set(range(STEPS))
    assert all(found["status"] == "succeeded" for found in server.runs[RUN].steps.values())
    assert server.runs[RUN].screenshots.keys() == {(index, "pre") for index in range(STEPS)}
    assert server.runs[RUN].manifest == session.manifest
    assert validate_bundle(tmp_path / "b") == []


def test_an_answer_that_is_no_json_is_an_acceptance_all_the_same(
    server: FaultyServer, tmp_path: Path
) -> None:
    server.script(status=200, body=b"{not json", stores=True)
    with open_session(tmp_path / "b", server) as session:
        record(session, range(2))
    assert session.stats.pending == 0
    assert server.runs[RUN].steps.keys() == {0, 1}


def test_the_token_follows_no_redirect(server: FaultyServer, tmp_path: Path) -> None:
    with CaptureServer() as elsewhere:
        server.script(status=308, headers={"Location": f"{elsewhere.base_url}/runs"})
        with open_session(tmp_path / "b", server, flush_timeout=0.2) as session:
            session.record_step(step(0))
            server.wait_for(lambda: len(server.requests) > 2)
        assert elsewhere.requests == []
        assert session.stats.pending > 0


def test_an_outage_in_the_middle_costs_nothing(server: FaultyServer, tmp_path: Path) -> None:
    with open_session(tmp_path / "b", server) as session:
        record(session, range(5))
        server.wait_for(lambda: delivered(session))
        before = len(server.requests)
        with server.down():
            for _ in range(3):
                record(session, range(5, 15))
            session.flush()
        server.wait_for(lambda: delivered(session), RECOVERY)
        after = server.requests[before:]
    steps = [request.path for request in after if "/steps/" in request.path]
    indices = [int(path.rpartition("/")[2]) for path in steps]
    assert set(indices) == set(range(5, 15))
    # They leave in order, so what one overtakes is on its way on one of the other connections.
    for place, index in enumerate(indices):
        assert sum(later < index for later in indices[place:]) < MAX_SOCKETS
    assert len(steps) == len(set(steps))
    assert server.runs[RUN].manifest == session.manifest


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("asked", "at_least"), [("0", 0.0), ("1", 1.0), ("-1", 0.0), ("soon", 0.0)]
)
def test_a_pause_that_the_server_asks_for_is_kept_and_all_is_delivered(
    server: FaultyServer, tmp_path: Path, status: int, asked: str, at_least: float
) -> None:
    server.script(status=status, headers={"Retry-After": asked}, times=1, path=f"^/runs/{RUN}")
    with open_session(tmp_path / "b", server) as session:
        record(session, range(3))
        server.wait_for(lambda: delivered(session))
    refused = next(request for request in server.requests if request.status == status)
    later = [r.at for r in server.requests if r.at > refused.at]
    assert min(later) - refused.at >= at_least
    assert session.stats.pending == 0


def test_a_pause_longer_than_the_budget_leaves_everything_in_the_journal_at_once(
    server: FaultyServer, tmp_path: Path
) -> None:
    server.script(status=429, headers={"Retry-After": "60"})
    with open_session(tmp_path / "b", server, flush_timeout=30.0) as session:
        record(session, range(3))
        server.wait_for(lambda: server.requests)
    assert session.stats.pending > 0
    assert (tmp_path / "b" / "delivery.json").exists()
    assert len(server.requests) <= 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 415, 422])
def test_a_record_that_is_refused_is_sent_once_settled_and_counted(
    server: FaultyServer, tmp_path: Path, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    server.script(status=status, path="/steps/1$")
    with open_session(tmp_path / "b", server) as session:
        for index in range(3):
            session.record_step(step(index))
    assert len(server.received("PUT", "/steps/1")) == 1
    assert server.runs[RUN].steps.keys() == {0, 2}
    assert session.stats.refused == {status: 1}
    assert session.stats.waiting == 0
    assert not (tmp_path / "b" / "delivery.json").exists()
    assert not (tmp_path / "b" / "journal.jsonl").exists()
    assert "not delivered" not in caplog.text
    assert read_json(tmp_path / "b" / "steps" / "0001.json")["step_index"] == 1


def test_a_tenant_without_modelio_gets_one_and_everything_else(tmp_path: Path) -> None:
    with CaptureServer(modelio=False) as server:
        with open_session(tmp_path / "b", server) as session:
            session.record_step(step(0))
            for number in range(3):
                call = {"request": {"n": number}, "response": {}}
                session.record_modelio(call, step_index=0, validate=False)
                server.wait_for(lambda: session.stats.refused)
        assert sum("/modelio/" in request.path for request in server.requests) == 1
        assert server.runs[RUN].steps.keys() == {0}
        assert session.stats.refused == {403: 3}
        assert session.stats.waiting == 0
    assert not (tmp_path / "b" / "journal.jsonl").exists()
    assert len(list((tmp_path / "b" / "modelio").iterdir())) == 3


RANK = {"running": 0, "succeeded": 1}


@pytest.mark.parametrize("seed", range(10))
def test_a_steps_status_never_moves_backwards(
    server: FaultyServer, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311 - delays are no secret

    def late(_: ReceivedRequest) -> Reply:
        return Reply(201, b"{}", delay=rng.random() * 0.02)

    server.add(Rule(late, method="PUT", path="/steps/", stores=True))
    with open_session(tmp_path / "b", server, flush_timeout=30.0) as session:
        for index in range(200):
            session.record_step(step(index, status="running"))
            if index % 7 == 0:
                session.flush()
            if index >= 5:
                session.record_step(step(index - 5))
        for index in range(195, 200):
            session.record_step(step(index))
    assert session.stats.pending == 0
    reached: dict[int, int] = {}
    for found in server.runs[RUN].step_history:
        index, rank = found["step_index"], RANK[found["status"]]
        assert rank >= reached.get(index, 0)
        reached[index] = rank
    assert reached == dict.fromkeys(range(200), 1)


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[int(len(times) * share)]


@pytest.mark.parametrize("broken", ["down", "slow", "hangs"])
def test_the_agent_waits_for_no_server(server: FaultyServer, tmp_path: Path, broken: str) -> None:
    """Half of the calls cost what they cost without a server, within a factor."""

    def median(session: DebugSession) -> float:
        times = []
        with session:
            for index in range(300):
                started = time.perf_counter()
                session.record_step(step(index))
                times.append(time.perf_counter() - started)
        return percentile(times, 0.5)

    alone = median(open_session(tmp_path / "alone", server, dsn=""))
    faults: dict[str, Callable[[], object]] = {
        "down": server.stop_listening,
        "slow": lambda: server.script(delay=0.2),
        "hangs": lambda: server.script(fault=Fault.HANG),
    }
    faults[broken]()
    assert median(open_session(tmp_path / "b", server, flush_timeout=0.1)) < 20 * alone + 0.001
