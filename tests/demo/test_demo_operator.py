"""The demo agent and its operator: paused, hinted, overridden and killed, in both classes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from augur_sdk import AsyncDebugSession, DebugSession
from augur_sdk.demo.agent import AsyncDemoAgent, DemoAgent
from augur_sdk.demo.desktop import Desktop
from augur_sdk.demo.pilot import Judgement
from augur_sdk.demo.scenario import Goal
from augur_sdk.errors import RunKilled
from augur_sdk.models import CoordinateSpace
from augur_sdk.testing import CaptureServer

RUN = "demo"
POINT = {"x": 7, "y": 9}


@pytest.fixture
def server() -> Iterator[CaptureServer]:
    with CaptureServer(hold=5.0) as capture:
        yield capture


class AwaitedDesktop:
    """The embedded desktop, as an asynchronous environment."""

    backend = "embedded-desktop"
    coordinate_space: CoordinateSpace = "screenshot_px"

    def __init__(self) -> None:
        self.desktop = Desktop()

    async def screenshot(self) -> bytes:
        return self.desktop.screenshot()

    async def click(self, x: float, y: float) -> None:
        self.desktop.click(x, y)

    async def type(self, text: str) -> None:
        self.desktop.type(text)

    async def key(self, name: str) -> None:
        self.desktop.key(name)


class Operator:
    """Pauses after the first step, speaks once the agent waits, and kills it after the third."""

    def __init__(self, server: CaptureServer, session: DebugSession | AsyncDebugSession) -> None:
        self._server = server
        self._gate = session._core.intervention.gate
        self._speaking = threading.Thread(target=self._speak, daemon=True)
        self.steps = 0
        self.steps_while_paused: int | None = None

    def __call__(self, index: int, *_: Goal | Judgement) -> None:
        self.steps = index + 1
        if index == 0:
            self._command("pause")
            self._wait_for("paused")
            self._speaking.start()
        if index == 2:
            self._command("kill")
            self._wait_for("killed")

    def _speak(self) -> None:
        while not self._gate._listeners:
            threading.Event().wait(0.005)
        self._command("inject_hint", {"text": "click Log in"})
        self._command("override_action", {"coordinates": POINT})
        self._server.wait_for(lambda: len(self._server.run(RUN).events) > 2)
        self.steps_while_paused = self.steps
        self._command("resume")

    def _command(self, kind: str, payload: dict[str, Any] | None = None) -> None:
        self._server.push_command(RUN, kind, payload, "ada")

    def _wait_for(self, state: str) -> None:
        changed = threading.Event()
        with self._gate.subscribed(changed.set):
            while self._gate.state != state:
                assert changed.wait(10.0)
                changed.clear()


def options(folder: Path, server: CaptureServer) -> dict[str, Any]:
    given = {"capture_mode": "full", "dsn": server.dsn}
    return {"run_id": RUN, "client_name": "demo", "out_dir": folder, **given}


def check(folder: Path, operator: Operator) -> None:
    trace = json.loads((folder / "trace.json").read_bytes())
    assert trace["session"]["status"] == "halted"
    assert operator.steps_while_paused == 1
    steps = trace["steps"]
    assert len(steps) == 3
    assert steps[1]["intent"] == "Follow the hint: click Log in"
    assert steps[1]["grounding"]["provenance"] == "human_override"
    assert steps[1]["grounding"]["coordinates"] == POINT
    lines = (folder / "events" / "run.jsonl").read_bytes().splitlines()
    commands = [json.loads(line)["detail"] for line in lines]
    assert {detail["command"] for detail in commands} == {
        "pause",
        "inject_hint",
        "override_action",
        "resume",
        "kill",
    }
    assert {detail["operator_id"] for detail in commands} == {"ada"}


def test_the_blocking_agent_is_paused_hinted_overridden_and_killed(
    server: CaptureServer, tmp_path: Path
) -> None:
    session = DebugSession(**options(tmp_path / "run", server))
    operator = Operator(server, session)

    def run() -> None:
        with session:
            DemoAgent(session, Desktop(), on_step=operator).run()

    with pytest.raises(RunKilled, match="ada"):
        run()
    check(tmp_path / "run", operator)


@pytest.mark.anyio
@pytest.mark.may_block
async def test_the_async_agent_is_paused_hinted_overridden_and_killed(
    server: CaptureServer, tmp_path: Path
) -> None:
    session = AsyncDebugSession(**options(tmp_path / "run", server))
    operator = Operator(server, session)

    async def run() -> None:
        async with session:
            await AsyncDemoAgent(session, AwaitedDesktop(), on_step=operator).run()

    with pytest.raises(RunKilled, match="ada"):
        await run()
    check(tmp_path / "run", operator)
