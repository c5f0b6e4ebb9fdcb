"""The servers that users test against behave as the contract says, and break as they are told."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from augur_sdk.testing import CaptureServer, Fault, FaultyServer

RUN = "/api/v1/runs/run-1"


def ask(
    server: CaptureServer,
    method: str,
    path: str,
    body: Any = None,
    *,
    token: str | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(server.base_url).netloc, timeout=10)
    credential = {"Authorization": f"Bearer {token or server.token}"}
    raw = body if isinstance(body, bytes | None) else json.dumps(body)
    try:
        connection.request(method, path, raw, {**credential, **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.fixture
def capture() -> Iterator[CaptureServer]:
    with CaptureServer(hold=0.1) as server:
        yield server


def test_the_dsn_is_of_the_documented_form(capture: CaptureServer) -> None:
    assert capture.dsn == f"{capture.base_url}?token=test-token&tenant=test"
    assert capture.base_url.endswith("/api/v1")


def test_a_wrong_credential_is_401_and_kept_out(capture: CaptureServer) -> None:
    assert ask(capture, "PUT", f"{RUN}/steps/0", {"step_index": 0}, token="wrong")[0] == 401
    assert capture.runs == {}
    assert capture.requests[0].status == 401


@pytest.mark.parametrize("path", ["/api/v1/other", f"{RUN}/other", "/elsewhere"])
def test_an_unknown_route_is_404(capture: CaptureServer, path: str) -> None:
    assert ask(capture, "POST", path, {})[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", f"{RUN}/steps/0", b"{oops"),
        ("PUT", f"{RUN}/steps/first", b"{}"),
        ("POST", f"{RUN}/events", b"{}"),
        ("POST", f"{RUN}/logs", b'{"name":"run"}'),
        ("POST", f"{RUN}/screenshots/0/pre", b"no multipart"),
        ("POST", "/api/v1/runs", b"[]"),
    ],
)
def test_a_body_that_the_route_does_not_take_is_422(
    capture: CaptureServer, method: str, path: str, body: bytes
) -> None:
    assert ask(capture, method, path, body, headers={"Content-Type": "x/y"})[0] == 422


def test_a_chunked_body_is_read(capture: CaptureServer) -> None:
    connection = http.client.HTTPConnection(urlsplit(capture.base_url).netloc, timeout=10)
    connection.request(
        "PUT",
        f"{RUN}/steps/0",
        iter([b'{"step_', b'index":0}']),
        {"Authorization": f"Bearer {capture.token}", "Transfer-Encoding": "chunked"},
        encode_chunked=True,
    )
    assert connection.getresponse().status == 201
    connection.close()
    assert capture.runs["run-1"].steps == {0: {"step_index": 0}}


def test_a_repeated_key_is_stored_once(capture: CaptureServer) -> None:
    for _ in range(2):
        key = {"Idempotency-Key": "s:1"}
        ask(capture, "POST", f"{RUN}/events", {"events": [{}]}, headers=key)
    assert len(capture.runs["run-1"].events) == 1
    assert capture.repeated == 1


def test_a_run_can_be_made_to_be_unknown_first() -> None:
    with CaptureServer(known_runs_only=True) as server:
        assert ask(server, "PUT", f"{RUN}/steps/0", {})[0] == 404
        assert ask(server, "PUT", f"{RUN}/trace", {})[0] == 201
        assert ask(server, "PUT", f"{RUN}/steps/0", {})[0] == 201


def test_modelio_can_be_turned_off() -> None:
    with CaptureServer(modelio=False) as server:
        assert ask(server, "POST", f"{RUN}/modelio/a.json", {})[0] == 403


def test_a_poll_ends_empty_after_its_hold(capture: CaptureServer) -> None:
    assert ask(capture, "GET", f"{RUN}/commands") == (200, b"")


def test_a_command_wakes_the_poll_and_moves_the_cursor() -> None:
    with CaptureServer(hold=30) as server:
        answers: list[bytes] = []
        poll = threading.Thread(
            target=lambda: answers.append(ask(server, "GET", f"{RUN}/commands")[1])
        )
        poll.start()
        server.wait_for(lambda: server.requests)
        command_id = server.push_command("run-1", "pause", operator_id="op")
        poll.join(10)
        answer = json.loads(answers[0])
        assert [c["command_id"] for c in answer["commands"]] == [command_id]
        assert answer["cursor"] == "1"
        server.push_command("run-1", "kill")
        later = json.loads(ask(server, "GET", f"{RUN}/commands?cursor=1")[1])
        assert [c["type"] for c in later["commands"]] == ["kill"]


def test_leaving_the_block_frees_polls_and_hangs() -> None:
    with FaultyServer(hold=60) as server:
        server.script(fault=Fault.HANG, method="PUT")
        waiting = [
            threading.Thread(target=_swallowing, args=(server, *request))
            for request in (("GET", f"{RUN}/commands"), ("PUT", f"{RUN}/trace"))
        ]
        for thread in waiting:
            thread.start()
        server.wait_for(lambda: len(server.requests) == 2)
    for thread in waiting:
        thread.join(5)
        assert not thread.is_alive()


def _swallowing(server: CaptureServer, method: str, path: str) -> None:
    try:
        ask(server, method, path, b"{}" if method == "PUT" else None)
    except (OSError, http.client.HTTPException):
        return


def test_the_first_rule_that_fits_answers_and_is_used_up() -> None:
    with FaultyServer() as server:
        server.script(status=503, path="steps", times=1)
        server.script(status=500, times=1)
        statuses = [ask(server, "PUT", f"{RUN}/steps/{n}", {})[0] for n in range(3)]
        assert statuses == [503, 500, 201]
        server.script(status=418)
        server.heal()
        assert ask(server, "PUT", f"{RUN}/trace", {})[0] == 201


def test_a_lost_answer_can_leave_the_record_stored() -> None:
    with FaultyServer() as server:
        server.script(fault=Fault.RESET, stores=True)
        with pytest.raises((OSError, http.client.HTTPException)):
            ask(server, "PUT", f"{RUN}/trace", {"session": {}})
        assert server.runs["run-1"].trace == {"session": {}}


def test_a_server_that_was_down_listens_on_the_same_port_again() -> None:
    with FaultyServer() as server:
        before = server.dsn
        with server.down(), pytest.raises(ConnectionRefusedError):
            ask(server, "PUT", f"{RUN}/trace", {})
        assert ask(server, "PUT", f"{RUN}/trace", {})[0] == 201
        assert server.dsn == before


def test_waiting_for_what_never_comes_times_out(capture: CaptureServer) -> None:
    with pytest.raises(TimeoutError, match="0 requests"):
        capture.wait_for(lambda: capture.requests, timeout=0.05)
