"""From the agent's session to the reader: bundle, live view, commands, folders."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from served import Served, on, picture, step, trace

from augur_sdk import DebugSession
from augur_sdk.bundle import layout
from augur_sdk.validation import validate_bundle
from augur_server.app import create_viewer_app


def _record(out: Path, run_id: str, dsn: str | None) -> Path:
    with DebugSession(
        run_id=run_id, client_name="shopper", out_dir=out, capture_mode="full", dsn=dsn
    ) as session:
        for index in range(3):
            with session.step("click", intent=f"step {index}") as building:
                building.pre(picture("navy"))
                building.action(type="click", params={"x": 10 + index, "y": 20})
                building.event("planner", "decision", "go on")
                building.verdict("passed")
                building.post(picture("olive"))
        session.append_log("one line\n", name="runner")
        session.append_log("of step 1\n", step_index=1)
        session.finalize_outcome(scope="session", verdict={"status": "passed"})
        session.mark_for_eval(1, "odd")
    return out


def test_the_servers_bundle_is_the_agents_own_to_the_byte(
    served: Served, person: httpx.Client, tmp_path: Path
) -> None:
    bundle = _record(tmp_path / "bundle", "same", served.dsn)
    local = {str(p.relative_to(bundle)): p for p in bundle.rglob("*") if p.is_file()}
    pulled = _unzip(person.get(on("same", "/bundle.zip")).content, tmp_path / "pulled")
    assert {p for p in local if layout.belongs(p)} == set(pulled)
    assert [p for p, data in pulled.items() if data != local[p].read_bytes()] == []
    assert validate_bundle(tmp_path / "pulled") == []


def test_what_arrived_of_a_run_that_goes_on_is_a_valid_bundle(
    agent: httpx.Client, person: httpx.Client, tmp_path: Path
) -> None:
    agent.put(on("open", "/trace"), json=trace("open"))
    agent.put(on("open", "/steps/0"), json=step(0, status="running"))
    _unzip(person.get(on("open", "/bundle.zip")).content, tmp_path / "pulled")
    assert validate_bundle(tmp_path / "pulled") == []


def _unzip(data: bytes, target: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(target)
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_command_reaches_the_agent_that_polls_and_is_followed(
    agent: httpx.Client, person: httpx.Client
) -> None:
    agent.put(on("steered", "/trace"), json=trace("steered"))
    answers: list[httpx.Response] = []
    poll = threading.Thread(target=lambda: answers.append(agent.get(on("steered", "/commands"))))
    poll.start()
    asked = {"type": "inject_hint", "payload": {"text": "left"}, "idempotency_key": "k1"}
    first = person.post(on("steered", "/commands"), json=asked)
    again = person.post(on("steered", "/commands"), json=asked)
    poll.join(10)
    got = answers[0].json()
    assert first.json() == again.json()
    assert [c["payload"]["text"] for c in got["commands"]] == ["left"]
    command = got["commands"][0]
    event = {
        "ts": "2030-01-01T00:00:00Z",
        "layer": "runner",
        "kind": "info",
        "summary": "operator command: inject_hint",
        "detail": {"command_id": command["command_id"]},
    }
    agent.post(on("steered", "/events"), json={"events": [event]})
    assert _states(person) == ["done"]
    person.post(on("steered", "/commands"), json={"type": "pause"})
    assert _states(person) == ["done", "queued"]
    agent.put(on("steered", "/trace"), json=trace("steered", status="succeeded"))
    assert _states(person) == ["done", "expired"]
    assert person.post(on("steered", "/commands"), json={"type": "kill"}).status_code == 409


def _states(person: httpx.Client) -> list[str]:
    return [c["state"] for c in person.get(on("steered", "/commands/log")).json()]


def test_control_is_held_by_one_person_at_a_time(agent: httpx.Client, person: httpx.Client) -> None:
    agent.put(on("held", "/trace"), json=trace("held"))
    take, give = {"type": "take_control"}, {"type": "release_control"}
    assert person.post(on("held", "/commands"), json=give).status_code == 409
    assert person.post(on("held", "/commands"), json=take).status_code == 201
    assert person.get(on("held")).json()["held_by"] == "owner"
    assert person.post(on("held", "/commands"), json=give).status_code == 201
    assert person.get(on("held")).json()["held_by"] is None


def test_live_goes_on_after_the_last_event_without_gap_or_repeat(
    agent: httpx.Client, person: httpx.Client
) -> None:
    agent.put(on("watched", "/trace"), json=trace("watched"))
    for index in range(3):
        agent.put(on("watched", f"/steps/{index}"), json=step(index))
    first = _events(person, 3, "")
    agent.put(on("watched", "/steps/3"), json=step(3))
    rest = _events(person, 2, first[-1][0])
    assert [data["step_index"] for _, data in first + rest] == [None, 0, 1, 2, 3]


def _events(person: httpx.Client, count: int, last: str) -> list[tuple[str, dict[str, object]]]:
    found: list[tuple[str, dict[str, object]]] = []
    event_id = ""
    headers = {"Last-Event-ID": last} if last else {}
    with person.stream("GET", on("watched", "/live"), headers=headers) as stream:
        for line in stream.iter_lines():
            if line.startswith("id: "):
                event_id = line[4:]
            elif line.startswith("data: "):
                found.append((event_id, json.loads(line[6:])))
                if len(found) == count:
                    return found
    return found


@pytest.mark.may_block
def test_the_same_routes_read_bundles_in_a_folder(
    served: Served, person: httpx.Client, tmp_path: Path
) -> None:
    _record(tmp_path / "runs" / "one", "foldered", served.dsn)
    with TestClient(create_viewer_app(tmp_path / "runs"), base_url="http://x/api/v1") as folder:
        assert folder.get("/auth/me").json()["readonly"] is True
        assert [r["run_id"] for r in folder.get("/runs").json()["runs"]] == ["foldered"]
        for rest in ("/steps", "/trace.json", "/events/0000.jsonl", "/steps/0001.json"):
            mine = folder.get(on("foldered", rest))
            assert mine.content == person.get(on("foldered", rest)).content, rest
        index, other = (c.get(on("foldered", "/index")).json() for c in (folder, person))
        assert {**index, "seq": 0} == {**other, "seq": 0}
        assert folder.get(on("foldered", "/journal.jsonl")).status_code == 404
        assert folder.delete(on("foldered")).status_code == 405
