"""Running commands in this process, and bundles for them to read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from store_servers import bucket, s3_endpoint, s3_uri

from augur_sdk import DebugSession
from augur_sdk.cli.app import run

__all__ = ["bucket", "s3_endpoint", "s3_uri"]


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Augur = Callable[..., Said]


@pytest.fixture
def augur(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Augur:
    """Run one command, its output not being a terminal."""
    for name in ("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def augur(*arguments: object) -> Said:
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capfd.readouterr()
        return Said(code, captured.out, captured.err)

    return augur


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A run of four steps: one fails, one has iterations."""
    out_dir = tmp_path / "bundle"
    with DebugSession(
        run_id="checkout-7",
        client_name="shopper",
        client_version="1.2",
        out_dir=out_dir,
        capture_mode="full",
        tags={"team": "growth"},
    ) as session:
        with session.step("click", intent="Open the shop") as step:
            step.grounding(provider="eye", x=1, y=2, target_label="Shop")
            step.verdict("passed")
        with session.step("type", intent="Search for a mug") as step:
            step.verdict("passed")
            step.event("planner", "decision", "search first")
        session.record_step_iteration(1, _iteration(step.id))
        with session.step("click", intent="Add it") as step:
            step.failed("no_state_change", "nothing happened")
            step.event("verifier", "error", "nothing happened")
        with session.step("click", intent="Add it again") as step:
            step.verdict("passed")
            step.status("recovered")
    return out_dir


def _iteration(step_id: str) -> Any:
    return {
        "step_id": f"{step_id}-b",
        "step_type": "type",
        "intent": "Search for a cup",
        "status": "succeeded",
        "started_at": "2030-01-01T00:00:00Z",
    }
