"""What is acknowledged is there; what is refused says why; repeats change nothing."""

from __future__ import annotations

import gzip
import json

import httpx
import pytest
from served import Served, on, picture, session, step, trace


def _lines(person: httpx.Client, run: str, path: str) -> list[str]:
    return person.get(on(run, f"/{path}")).text.splitlines()


@pytest.mark.parametrize("run_id", ["plain", "a/b", "ünï çødé", "..", "a?b#c", "x" * 300, "a%2Fb"])
def test_a_run_id_of_any_characters_comes_back_as_it_was(
    agent: httpx.Client, person: httpx.Client, run_id: str
) -> None:
    path = on(run_id).replace("/..", "/%2E%2E")
    assert agent.put(f"{path}/trace", json=trace(run_id)).status_code == 201
    assert person.get(path).json()["run_id"] == run_id


def test_a_terminal_status_is_not_replaced_by_running(
    agent: httpx.Client, person: httpx.Client
) -> None:
    for status in ("running", "failed", "running"):
        answer = agent.put(on("late", "/steps/0"), json=step(0, status=status))
        assert answer.status_code == 201
    assert person.get(on("late", "/steps/0000.json")).json()["status"] == "failed"


def test_a_repeat_with_its_key_adds_nothing(agent: httpx.Client, person: httpx.Client) -> None:
    event = {"ts": "2030-01-01T00:00:00Z", "layer": "runner", "kind": "info", "summary": "once"}
    for key in ("dbg_1:1", "dbg_1:1", "dbg_1:2"):
        body = {"events": [event]}
        agent.post(on("keys", "/events"), json=body, headers={"Idempotency-Key": key})
    assert len(_lines(person, "keys", "events/run.jsonl")) == 2


def test_an_identical_body_without_a_key_is_a_repeat(
    agent: httpx.Client, person: httpx.Client
) -> None:
    for text in ("one\n", "one\n", "two\n"):
        agent.post(on("logs", "/logs"), json={"text": text, "name": "runner"})
    assert person.get(on("logs", "/logs/runner.log")).text == "one\ntwo\n"


def test_an_iteration_stands_beside_the_step_that_was_sent_last(
    agent: httpx.Client, person: httpx.Client
) -> None:
    for step_id in ("retry", "canonical"):
        agent.put(on("twice", "/steps/3"), json=step(3, step_id=step_id))
    found = person.get(on("twice", "/steps")).json()["steps"]
    assert [s["step_id"] for s in found] == ["canonical"]
    paths = person.get(on("twice", "/paths")).json()
    assert len([p for p in paths if p.startswith("steps/0003/")]) == 2
    assert person.get(on("twice", "/index")).json()["iterations"] == [2]


def test_a_broken_record_is_refused_with_the_path_of_its_field(agent: httpx.Client) -> None:
    answer = agent.put(on("bad", "/steps/0"), json=step(0, verdict={"status": "great"}))
    assert answer.status_code == 422
    assert "verdict.status" in answer.json()["detail"]
    assert "great" not in answer.text


@pytest.mark.parametrize("index", ["-1", "x", "1.5", "99999999999999"])
def test_an_index_that_is_none_is_refused(agent: httpx.Client, index: str) -> None:
    assert agent.put(on("bad", f"/steps/{index}"), json=step(0)).status_code == 422


def test_what_is_no_picture_is_refused(agent: httpx.Client) -> None:
    files = {"image": ("shot.png", b"GIF89a", "image/png")}
    answer = agent.post(on("bad", "/screenshots/0/pre"), files=files)
    assert answer.status_code == 415


def test_a_body_beyond_its_bound_is_refused_before_it_is_read(agent: httpx.Client) -> None:
    answer = agent.put(
        on("big", "/steps/0"), content=b"{" + b" " * (9 * 1024 * 1024), headers=_JSON
    )
    assert answer.status_code == 413


def test_a_bomb_is_refused_at_the_bound(agent: httpx.Client) -> None:
    bomb = gzip.compress(b" " * (200 * 1024 * 1024), 1)
    answer = agent.put(
        on("bomb", "/steps/0"), content=bomb, headers={**_JSON, "Content-Encoding": "gzip"}
    )
    assert answer.status_code == 413


_JSON = {"Content-Type": "application/json"}


def test_a_secret_that_a_client_left_is_masked_and_counted(
    agent: httpx.Client, person: httpx.Client
) -> None:
    agent.put(on("leaky", "/trace"), json=trace("leaky"))
    agent.put(on("leaky", "/steps/0"), json=step(0, intent="write to jane@example.com"))
    stored = person.get(on("leaky", "/steps/0000.json")).text
    assert "jane@example.com" not in stored
    assert person.get(on("leaky")).json()["masked"] == 1


def test_each_item_of_an_envelope_settles_on_its_own(
    agent: httpx.Client, person: httpx.Client
) -> None:
    items = [
        ("PUT", "trace", trace("many")),
        ("PUT", "steps/0", step(0)),
        ("PUT", "steps/1", {"step_index": 1}),
        ("DELETE", "steps/2", {}),
    ]
    body = b""
    for method, path, record in items:
        content = json.dumps(record).encode()
        header = {
            "method": method,
            "path": path,
            "length": len(content),
            "type": "application/json",
        }
        body += json.dumps(header).encode() + b"\n" + content + b"\n"
    kind = {"Content-Type": "application/vnd.augur.envelope", "Content-Encoding": "gzip"}
    answer = agent.post(on("many", "/envelope"), content=gzip.compress(body), headers=kind)
    assert [r["status"] for r in answer.json()["results"]] == [200, 200, 422, 404]
    assert person.get(on("many", "/steps")).json()["total"] == 1


def test_a_picture_that_many_runs_saw_is_stored_once(
    agent: httpx.Client, person: httpx.Client, served: Served
) -> None:
    for run in ("p1", "p2"):
        files = {"image": ("shot.png", picture("teal"), "image/png")}
        assert agent.post(on(run, "/screenshots/0/pre"), files=files).status_code == 201
    shown = person.get(on("p2", "/screenshots/0000_pre.png"))
    assert shown.content == picture("teal")
    small = person.get(on("p2", "/screenshots/0000_pre.png?w=100"))
    assert small.headers["content-type"] == "image/webp"
    assert person.delete(on("p1")).status_code == 200
    assert person.get(on("p2", "/screenshots/0000_pre.png")).status_code == 200
    assert len(list(served.data.glob("blobs/*/*"))) == 1
    assert person.delete(on("p2")).status_code == 200
    assert not list(served.data.glob("blobs/*/*"))


@pytest.mark.parametrize("path", ["../../etc/passwd", "journal.jsonl", "steps//x", "logs/.hidden"])
def test_no_path_from_outside_leaves_the_bundle(agent: httpx.Client, path: str) -> None:
    encoded = path.replace("/", "%2F")
    assert agent.put(on("files", f"/files/{encoded}"), content=b"x").status_code == 422


def test_filters_sorts_and_pages_find_the_runs(agent: httpx.Client, person: httpx.Client) -> None:
    for number in range(5):
        run = f"page-{number}"
        tags = {"batch": "pages"}
        agent.put(on(run, "/trace"), json={"session": session(run, tags=tags), "steps": []})
    seen: list[str] = []
    after = ""
    while True:
        query: dict[str, str | int] = {"tag": "batch=pages", "limit": 2, "after": after}
        page = person.get("/runs", params=query).json()
        seen += [run["run_id"] for run in page["runs"]]
        if (after := page["next"] or "") == "":
            break
    assert seen == [f"page-{number}" for number in reversed(range(5))]
