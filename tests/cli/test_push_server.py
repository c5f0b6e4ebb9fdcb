"""`augur push DIR` and `augur doctor`, against a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from scenarios import step

from augur_sdk import DebugSession
from augur_sdk.testing import CaptureServer, FaultyServer

Augur = Callable[..., Any]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyServer]:
    with FaultyServer(token="canary-token-4711") as faulty:
        monkeypatch.setenv("AUGUR_DSN", faulty.dsn)
        yield faulty


@pytest.fixture
def unsent(server: FaultyServer, tmp_path: Path) -> Path:
    """A bundle that its session could not send."""
    with (
        server.down(),
        DebugSession(
            run_id="r",
            client_name="a",
            out_dir=tmp_path / "b",
            capture_mode="full",
            flush_timeout=0.0,
        ) as session,
    ):
        session.record_step(step(0))
    return tmp_path / "b"


def test_a_push_sends_what_is_missing_and_says_so(
    augur: Augur, server: FaultyServer, unsent: Path
) -> None:
    said = augur("push", unsent)
    assert said.code == 0
    assert "records are on http://127.0.0.1" in said.out
    assert server.runs["r"].steps.keys() == {0}
    assert server.runs["r"].manifest is not None
    assert "canary-token-4711" not in said.out + said.err


def test_what_the_server_refuses_for_good_is_said_and_is_no_problem(
    augur: Augur, server: FaultyServer, unsent: Path
) -> None:
    server.script(status=422, path="/steps/0$")
    said = augur("push", unsent, "--json")
    assert said.code == 0
    assert said.json["refused"] == {"422": 1}
    assert said.json["pending"] == 0
    assert len(server.received("PUT", "/steps/0")) == 1
    assert not {path.name for path in unsent.iterdir()} & {"journal.jsonl", "delivery.json"}


def test_a_push_without_a_dsn_or_a_bundle_is_wrong_usage(
    augur: Augur, unsent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert augur("push", tmp_path / "nothing").code == 2
    monkeypatch.delenv("AUGUR_DSN")
    said = augur("push", unsent)
    assert said.code == 2
    assert "AUGUR_DSN" in said.err


@pytest.mark.may_block  # its event loop is its own
def test_the_doctor_finds_nothing_wrong(augur: Augur, server: CaptureServer) -> None:
    said = augur("doctor", "--capture-mode", "full", "--json")
    assert {check["name"]: check["ok"] for check in said.json}["credential"]
    assert said.code == 0
    assert "canary-token-4711" not in said.out + said.err
    assert server.heartbeats


@pytest.mark.may_block  # its event loop is its own
def test_the_doctor_says_what_to_repair(
    augur: Augur, server: CaptureServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUGUR_DSN", server.dsn.replace("canary-token-4711", "wrong-token"))
    said = augur("doctor", "--capture-mode", "full")
    assert said.code == 1
    assert "refused the token" in said.out
    assert "wrong-token" not in said.out + said.err
