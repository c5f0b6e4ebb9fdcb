"""Many records in one request: only where a server says so, and each on its own account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from scenarios import event, png, step

from augur_sdk import DebugSession
from augur_sdk.streaming.capabilities import MOST_BYTES, Capabilities
from augur_sdk.streaming.delivery import Item
from augur_sdk.streaming.envelope import Letter, answers_in, packed
from augur_sdk.streaming.outbox import Outbox
from augur_sdk.streaming.outcome import Answer
from augur_sdk.streaming.routes import Wire
from augur_sdk.testing import CaptureServer, FaultyServer

STEPS = 60


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer(envelope_bytes=1_000_000) as faulty:
        yield faulty


def record_run(folder: Path, server: CaptureServer) -> Any:
    """A run of every kind of record; returns the counts at the end."""
    with DebugSession(
        run_id="run/1", client_name="a", out_dir=folder, capture_mode="full", dsn=server.dsn
    ) as session:
        server.wait_for(lambda: bool(server.heartbeats))
        for index in range(STEPS):
            session.attach_observation(step_index=index, kind="pre", png_bytes=png(index))
            session.record_event(event(index))
            session.record_step(step(index))
            session.append_log(f"line {index}\n")
            session.record_reasoning(index, f"thought {index}")
        session.record_modelio(
            {"request": {"model": "m"}, "response": {"text": "t"}}, step_index=0, validate=False
        )
    return session.stats


def paths(server: CaptureServer) -> list[str]:
    return [f"{request.method} {request.segments[-1]}" for request in server.requests]


def test_records_travel_together_and_arrive_as_they_do_alone(
    server: FaultyServer, tmp_path: Path
) -> None:
    stats = record_run(tmp_path / "b", server)
    with CaptureServer() as plain:
        record_run(tmp_path / "c", plain)
        alone = plain.runs["run/1"]
    together = server.runs["run/1"]
    assert stats.waiting == 0
    assert "POST envelope" in paths(server)
    assert len(server.requests) * 3 < len(plain.requests)
    assert max(len(r.body) for r in server.requests if r.segments[-1] == "envelope") <= 1_000_000
    assert together.screenshots == alone.screenshots
    assert together.logs == alone.logs
    assert sorted(map(orjson.dumps, together.events)) == sorted(map(orjson.dumps, alone.events))
    assert len(together.reasoning) == len(alone.reasoning) == STEPS
    assert [s["step_id"] for s in (together.trace or {})["steps"]] == [
        f"s{i}" for i in range(STEPS)
    ]
    assert together.manifest is not None


def test_pictures_that_are_larger_than_thought_find_room_in_several(
    server: FaultyServer, tmp_path: Path
) -> None:
    with DebugSession(
        run_id="run/1", client_name="a", out_dir=tmp_path, capture_mode="full", dsn=server.dsn
    ) as session:
        server.wait_for(lambda: bool(server.heartbeats))
        for index in range(8):
            session.attach_observation(
                step_index=index, kind="pre", png_bytes=png(index, padding=300_000)
            )
        session.attach_observation(step_index=8, kind="pre", png_bytes=png(8, padding=1_100_000))
    assert session.stats.waiting == 0
    assert session.stats.refused == {}
    assert len(server.runs["run/1"].screenshots) == 9
    assert max(len(r.body) for r in server.requests if r.segments[-1] == "envelope") <= 1_000_000


def test_a_server_that_announces_nothing_never_sees_one(tmp_path: Path) -> None:
    with CaptureServer() as plain:
        assert record_run(tmp_path / "b", plain).waiting == 0
        assert "POST envelope" not in paths(plain)


def test_what_a_server_refuses_of_an_envelope_costs_no_other_record(tmp_path: Path) -> None:
    with FaultyServer(envelope_bytes=1_000_000, modelio=False) as server:
        stats = record_run(tmp_path / "b", server)
        run = server.runs["run/1"]
        assert stats.waiting == 0
        assert sum(stats.refused.values()) == 1
        assert run.modelio == {}
        assert len(run.screenshots) == STEPS


@pytest.mark.parametrize("status", [404, 413, 415, 422])
def test_a_server_that_takes_none_after_all_gets_records_one_by_one(
    server: FaultyServer, tmp_path: Path, status: int
) -> None:
    server.script(status=status, path="/envelope$")
    stats = record_run(tmp_path / "b", server)
    assert stats.waiting == 0
    assert stats.refused == {}
    assert len(server.runs["run/1"].screenshots) == STEPS
    assert paths(server).count("POST envelope") <= 32  # those that were under way


def test_an_answer_that_fits_no_envelope_is_taken_for_none(
    server: FaultyServer, tmp_path: Path
) -> None:
    server.script(status=200, body=b'{"results": []}', path="/envelope$", times=1)
    assert record_run(tmp_path / "b", server).waiting == 0
    assert len(server.runs["run/1"].screenshots) == STEPS


def test_an_envelope_that_failed_goes_again_and_adds_nothing_twice(
    server: FaultyServer, tmp_path: Path
) -> None:
    server.script(status=503, path="/envelope$", stores=True, times=2)
    stats = record_run(tmp_path / "b", server)
    run = server.runs["run/1"]
    assert stats.waiting == 0
    assert run.logs == {"run": "".join(f"line {index}\n" for index in range(STEPS))}
    assert len(run.reasoning) == STEPS
    assert len(run.events) == STEPS
    assert server.repeated > 0


def test_items_are_header_lines_and_bodies_in_order() -> None:
    letters = [
        Letter("PUT", "/runs/a%2Fb/steps/0", "application/json", b"{}"),
        Letter("POST", "/runs/a%2Fb/logs", "application/json", b'{"text":"\\n"}', "dbg:7"),
    ]
    lines = packed(letters, "a/b").split(b"\n")
    assert [orjson.loads(line) for line in lines[0:4:2]] == [
        {"method": "PUT", "path": "steps/0", "length": 2, "type": "application/json"},
        {
            "method": "POST",
            "path": "logs",
            "length": 13,
            "type": "application/json",
            "idempotency_key": "dbg:7",
        },
    ]
    assert lines[1::2] == [b"{}", b'{"text":"\\n"}']


@pytest.mark.parametrize(
    ("answer", "most"),
    [
        (b'{"capabilities": {"envelope": 1, "max_bytes": 5000}}', 5000),
        (b'{"capabilities": {"envelope": 1, "max_bytes": 1e99}}', 0),
        (b'{"capabilities": {"envelope": 1, "max_bytes": 99999999}}', MOST_BYTES),
        (b'{"capabilities": {"envelope": 2, "max_bytes": 5000}}', 0),
        (b'{"capabilities": {"envelope": 1, "max_bytes": -1}}', 0),
        (b'{"capabilities": {"envelope": 1}}', 0),
        (b'{"capabilities": []}', 0),
        (b"[]", 0),
        (b"", 0),
    ],
)
def test_only_a_version_that_is_known_is_used(answer: bytes, most: int) -> None:
    assert Capabilities.announced(Answer(200, body=answer)).envelope_bytes == most


def test_results_are_as_many_as_the_items() -> None:
    body = b'{"results": [{"status": 200}, {"status": 422, "detail": "x"}]}'
    assert answers_in(body, 2) == [Answer(200), Answer(422)]
    assert answers_in(body, 3) is None
    assert answers_in(b'{"results": [{"status": "x"}]}', 1) is None
    assert answers_in(b"", 1) is None


def test_what_opens_and_ends_a_run_goes_alone() -> None:
    box = Outbox()
    for seq, kind in enumerate([Wire.SESSION, Wire.EVENT, Wire.LOG, Wire.MANIFEST], start=1):
        box.add(Item(seq, kind, load=_never, size=10))
    first = box.take(0.0)
    assert first is not None
    assert (first.kind, box.take_along(first, 0.0, 10_000)) == (Wire.SESSION, [])
    box.settled(first)
    second = box.take(0.0)
    assert second is not None
    assert [parcel.kind for parcel in box.take_along(second, 0.0, 10_000)] == [Wire.LOG]


def test_of_one_lane_they_keep_their_order_and_come_back_in_it() -> None:
    box = Outbox()
    for seq in range(1, 6):
        box.add(Item(seq, Wire.LOG, load=_never, size=100))
    first = box.take(0.0)
    assert first is not None
    rest = box.take_along(first, 0.0, 3 * 700)
    assert [parcel.item.seq for parcel in (first, *rest)] == [1, 2, 3]
    for parcel in reversed([first, *rest]):
        box.failed(parcel, 0.0, 0.0, unclear=False)
    again = box.take(0.0)
    assert again is not None
    assert [p.item.seq for p in (again, *box.take_along(again, 0.0, 100_000))] == [1, 2, 3, 4, 5]
    assert len(box) == 5


async def _never() -> bytes:
    raise AssertionError("nothing is sent here")
