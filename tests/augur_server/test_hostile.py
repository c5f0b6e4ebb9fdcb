"""Whatever is sent to any route, the answer is the sender's fault and not a crash."""

from __future__ import annotations

import json

import httpx
import pytest
from served import Served, on, step, trace

BODIES = [
    b"",
    b"null",
    b"[]",
    b'"x"',
    b"{",
    b"\xff\xfe",
    b'{"a": NaN}',
    b'{"step_index": 1e400}',
    b'{"events": [null, 1, {}], "step_index": "x"}',
    b'{"text": "\\ud800", "name": {"a": 1}}',
    b'{"text": "x", "name": "' + b"n" * 5000 + b'", "step_index": true}',
    b"[" * 100_000,
    json.dumps({"session": None, "steps": {}}).encode(),
    json.dumps({"run_id": "\0", "client_id": "\0"}).encode(),
    json.dumps({"token": "\0", "type": "\0", "name": "\0", "payload": {}}).encode(),
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body[:20].decode("latin-1"))
def test_no_body_makes_a_route_fail(agent: httpx.Client, person: httpx.Client, body: bytes) -> None:
    document = person.get("/openapi.json").json()
    agent.put(on("target", "/trace"), json=trace("target"))
    for path, operations in document["paths"].items():
        for method in operations:
            if method not in {"put", "post"} or path.endswith("/auth/logout"):
                continue
            filled = path.removeprefix("/api/v1").replace("{run_id}", "target")
            filled = filled.replace("{step_index}", "0").replace("{kind}", "pre")
            filled = filled.replace("{name}", "n.json").replace("{path}", "logs/x.json")
            for client in (agent, person):
                answer = client.request(method, filled, content=body)
                assert answer.status_code < 500, (method, filled, answer.text)


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "after=%00", "after=bm8", "sort=%27--"])
def test_no_query_makes_the_list_fail(person: httpx.Client, query: str) -> None:
    assert person.get(f"/runs?{query}").status_code in {200, 422}


@pytest.mark.parametrize("path", ["%00", "%ff", "a%00b", "..%2f..%2fetc", "%2e%2e", "x" * 3000])
def test_no_path_makes_the_server_fail(person: httpx.Client, path: str) -> None:
    for rest in ("", "/steps", "/bundle.zip", "/live"):
        assert person.get(f"/runs/{path}{rest}").status_code in {404, 422}


def test_many_tiny_events_in_one_body_are_kept(agent: httpx.Client, person: httpx.Client) -> None:
    event = {"ts": "2030-01-01T00:00:00Z", "layer": "model", "kind": "info", "summary": "x"}
    answer = agent.post(on("tiny", "/events"), json={"events": [event] * 20_000, "step_index": 2})
    assert answer.status_code == 201
    assert len(person.get(on("tiny", "/events/0002.jsonl")).text.splitlines()) == 20_000


def test_a_write_that_cannot_be_stored_spoils_no_other(served: Served) -> None:
    with served.agent() as agent:
        huge = step(0, duration_ms=2**70)
        assert agent.put(on("spoiled", "/steps/0"), json=huge).status_code < 504
        assert agent.put(on("spoiled", "/steps/1"), json=step(1)).status_code == 201
