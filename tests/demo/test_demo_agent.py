"""Both agents buy the mug, and their bundles say how."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import augur_schema
import pytest

from augur_sdk import AsyncDebugSession, DebugSession
from augur_sdk.demo import catalogue
from augur_sdk.demo.agent import AsyncDemoAgent, DemoAgent
from augur_sdk.demo.desktop import Desktop
from augur_sdk.demo.pilot import Pilot
from augur_sdk.demo.scenario import Goal
from augur_sdk.models import CoordinateSpace
from augur_sdk.validation import validate_bundle

FAILED, CLOSED, RETRIED = 8, 9, 10


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


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of one run of the blocking agent."""
    out_dir = tmp_path_factory.mktemp("demo") / "run"
    desktop = Desktop()
    with DebugSession(
        run_id="run", client_name="demo", out_dir=out_dir, capture_mode="full"
    ) as session:
        assert DemoAgent(session, desktop).run()
    assert desktop.state.ordered == ["enamel"]
    return out_dir


def read(path: Path) -> Any:
    return json.loads(path.read_bytes())


def steps_of(bundle: Path) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = read(bundle / "trace.json")["steps"]
    return steps


def test_the_bundle_is_valid(bundle: Path) -> None:
    assert [issue.render() for issue in validate_bundle(bundle)] == []


def test_the_published_schemas_find_nothing(bundle: Path) -> None:
    records = [
        ("manifest", read(bundle / "manifest.json")),
        ("trace", read(bundle / "trace.json")),
        *(("step_trace", read(path)) for path in (bundle / "steps").iterdir()),
        *(("observation", read(path)) for path in (bundle / "screenshots").glob("*.json")),
        *(
            ("decision_event", json.loads(line))
            for path in (bundle / "events").iterdir()
            for line in path.read_text(encoding="utf-8").splitlines()
        ),
    ]
    problems = [
        (name, error.message)
        for name, record in records
        for error in augur_schema.validator_for(name).iter_errors(record)
    ]
    assert problems == []
    assert len(records) > 50


def test_one_step_fails_and_is_recovered_from(bundle: Path) -> None:
    steps = steps_of(bundle)
    assert [step["step_index"] for step in steps if step["status"] == "failed"] == [FAILED]
    failed, closed, retried = steps[FAILED], steps[CLOSED], steps[RETRIED]
    assert failed["failure_class"] == "no_state_change"
    assert failed["recovery_decision"]["type"] == "retry"
    assert closed["grounding"]["target_label"] == "No thanks"
    assert retried["status"] == "recovered"
    assert retried["verdict"]["status"] == "passed"


def test_the_pictures_around_the_failed_step_show_that_nothing_changed(bundle: Path) -> None:
    folder = bundle / "screenshots"
    before, after = (folder / f"{FAILED:04d}_{kind}.png" for kind in ("pre", "post"))
    assert before.read_bytes() == after.read_bytes()
    assert before.read_bytes() != (folder / f"{CLOSED:04d}_post.png").read_bytes()


def test_every_step_has_two_pictures_and_every_click_its_grounding(bundle: Path) -> None:
    for step in steps_of(bundle):
        assert (bundle / step["observation_pre"]).is_file()
        assert (bundle / step["observation_post"]).is_file()
        if step["step_type"] == "click":
            grounding, params = step["grounding"], step["action"]["params"]
            assert grounding["provenance"] == "screenshot"
            assert grounding["coordinates"] == params
            assert 0.8 <= grounding["confidence"] <= 1


def test_the_failed_step_tells_each_layers_part(bundle: Path) -> None:
    lines = (bundle / "events" / f"{FAILED:04d}.jsonl").read_text(encoding="utf-8").splitlines()
    layers = {json.loads(line)["layer"] for line in lines}
    assert layers == {"planner", "grounding", "verifier", "step_recovery"}


def test_the_password_is_nowhere_in_the_bundle(bundle: Path) -> None:
    password = catalogue.PASSWORD.encode()
    files = [path for path in bundle.rglob("*") if path.is_file()]
    assert [path for path in files if password in path.read_bytes()] == []


def test_a_run_that_gives_up_is_recorded_as_failed(tmp_path: Path) -> None:
    told: list[int] = []
    with DebugSession(
        run_id="run", client_name="demo", out_dir=tmp_path / "run", capture_mode="full"
    ) as session:
        agent = DemoAgent(
            session,
            Desktop(),
            pilot=Pilot([Goal("Fly", "click", "Take off")]),
            on_step=lambda index, _goal, _judgement: told.append(index),
        )
        assert not agent.run()
    assert told == [0, 1, 2]
    trace = read(tmp_path / "run" / "trace.json")
    assert trace["session"]["status"] == "failed"
    assert trace["steps"][-1]["recovery_decision"]["type"] == "halt"
    assert validate_bundle(tmp_path / "run") == []


@pytest.mark.anyio
async def test_the_awaited_agent_makes_the_same_run(tmp_path: Path, bundle: Path) -> None:
    screen = AwaitedDesktop()
    session = AsyncDebugSession(
        run_id="run", client_name="demo", out_dir=tmp_path / "run", capture_mode="full"
    )
    async with session:
        assert await AsyncDemoAgent(session, screen).run()
    assert screen.desktop.state.ordered == ["enamel"]
    fingerprints = [
        read(folder / "manifest.json")["trajectory_fingerprint"]
        for folder in (bundle, tmp_path / "run")
    ]
    assert fingerprints[0] == fingerprints[1]
