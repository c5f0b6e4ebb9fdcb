"""The command channel of a session: once each, never in a hot loop, and gone with the session."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from augur_sdk import DebugSession
from augur_sdk.testing import Fault, FaultyServer

RUN = "run-1"
COMMANDS = "/commands$"


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer(hold=5.0) as faulty:
        yield faulty


class Adapter:
    def __init__(self, hook: Callable[[str], object] = str) -> None:
        self.texts: list[str] = []
        self.changed = threading.Condition()
        self._hook = hook

    def on_inject_hint(self, text: str) -> None:
        with self.changed:
            self.texts.append(text)
            self.changed.notify_all()
        self._hook(text)

    def wait_for(self, count: int) -> list[str]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.texts) >= count, 20.0)
            return list(self.texts)


def open_session(folder: Path, server: FaultyServer, **options: Any) -> DebugSession:
    given = {"capture_mode": "full", "dsn": server.dsn, **options}
    return DebugSession(run_id=RUN, client_name="agent", out_dir=folder, **given)


def test_each_command_is_carried_out_once_also_across_reconnects(
    server: FaultyServer, tmp_path: Path
) -> None:
    adapter = Adapter()
    with open_session(tmp_path / "b", server) as session:
        session.bind_intervention(adapter, poll_timeout=5.0)
        server.push_command(RUN, "inject_hint", {"text": "one"}, command_id="c1")
        adapter.wait_for(1)
        with server.down():
            server.push_command(RUN, "inject_hint", {"text": "one"}, command_id="c1")
            server.push_command(RUN, "inject_hint", {"text": "two"}, command_id="c2")
        assert adapter.wait_for(2) == ["one", "two"]
        server.push_command(RUN, "inject_hint", {"text": "three"}, command_id="c3")
        assert adapter.wait_for(3) == ["one", "two", "three"]


@pytest.mark.parametrize(
    "answer",
    [{"status": 500}, {"status": 200, "body": b""}, {"status": 200, "body": b"[]"}],
    ids=["error", "empty", "nothing new"],
)
def test_an_answer_at_once_is_no_reason_to_ask_again_at_once(
    server: FaultyServer, tmp_path: Path, answer: dict[str, Any]
) -> None:
    server.script(**answer, path=COMMANDS)
    with open_session(tmp_path / "b", server) as session:
        session.bind_intervention(None)
        polls = server.wait_for(lambda: _three(server))
    gaps = [later.at - earlier.at for earlier, later in pairwise(polls)]
    assert min(gaps) > 0.9  # arrivals, which a slow connection shifts a little


def _three(server: FaultyServer) -> list[Any]:
    polls = server.received("GET", "/commands")
    return polls[:3] if len(polls) >= 3 else []


def test_a_hook_that_raises_or_blocks_keeps_nothing_from_the_next_command(
    server: FaultyServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    release = threading.Event()

    def hook(text: str) -> None:
        if text == "raises":
            raise ValueError(text)
        if text == "blocks":
            release.wait(30)

    adapter = Adapter(hook)
    with open_session(tmp_path / "b", server) as session:
        session.bind_intervention(adapter)
        for text in ("raises", "blocks", "works"):
            server.push_command(RUN, "inject_hint", {"text": text})
        assert adapter.wait_for(3) == ["raises", "blocks", "works"]
        release.set()
    assert "on_inject_hint failed" in caplog.text
    assert session.stats.pending == 0


@pytest.mark.parametrize("fault", [None, Fault.HANG], ids=["well", "hangs"])
def test_polls_and_heartbeats_end_with_the_session(
    server: FaultyServer, tmp_path: Path, fault: Fault | None
) -> None:
    if fault is not None:
        server.script(fault=fault)
    session = open_session(tmp_path / "b", server, flush_timeout=0.0)
    with session:
        session.bind_intervention(None)
        server.wait_for(lambda: server.received("GET", "/commands"))
        core = session._core
        started = time.monotonic()
    took = time.monotonic() - started
    assert core.intervention._polling is not None
    assert core.intervention._polling.done()
    assert core.delivery is not None
    beating = core.delivery.greeting._beating
    assert beating is not None
    assert beating.done()
    assert took < 0.5 + 2.0  # a busy machine may add to the half second
