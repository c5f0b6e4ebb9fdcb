"""A push to a server that says what it has sends what is missing, and adds nothing twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import httpx
from served import Served, on, picture

from augur_sdk import DebugSession
from augur_sdk.pipeline.server_push import PushReport, push_run
from augur_sdk.streaming.dsn import DSN

ADDS_UP = ("event", "log", "reasoning", "judge_decision", "screenshot", "modelio")


def record(out: Path, run_id: str, dsn: str | None) -> Path:
    with DebugSession(
        run_id=run_id, client_name="shopper", out_dir=out, capture_mode="full", dsn=dsn
    ) as session:
        for index in range(4):
            with session.step("click", intent=f"step {index}") as building:
                building.pre(picture("navy"))
                building.event("planner", "decision", f"go on {index}")
                building.verdict("passed")
            session.append_log(f"line {index}\n")
            session.record_reasoning(index, "so")
            session.attach_verifier(index, status="passed", check="dom")
        session.record_modelio(
            {"request": {"model": "m"}, "response": {"text": "t"}}, step_index=0, validate=False
        )
    return out


def push(bundle: Path, served: Served) -> PushReport:
    async def main() -> PushReport:
        return await push_run(bundle, DSN.parse(served.dsn))

    return anyio.run(main)


def held(agent: httpx.Client, run_id: str) -> dict[str, Any]:
    records: dict[str, Any] = agent.get(on(run_id, "/inventory")).json()["records"]
    return {kind: records.get(kind, {}) for kind in ADDS_UP}


def test_a_push_after_a_live_run_adds_nothing(
    served: Served, agent: httpx.Client, tmp_path: Path
) -> None:
    bundle = record(tmp_path / "b", "streamed", served.dsn)
    before = held(agent, "streamed")
    assert all(before[kind] for kind in ("event", "log", "reasoning", "screenshot", "modelio"))
    for _ in range(2):
        report = push(bundle, served)
        assert (report.pending, report.refused) == (0, {})
        assert held(agent, "streamed") == before


def test_a_bundle_that_was_never_streamed_arrives_whole_and_once(
    served: Served, agent: httpx.Client, tmp_path: Path
) -> None:
    bundle = record(tmp_path / "b", "kept", None)
    assert push(bundle, served).pending == 0
    first = held(agent, "kept")
    counts = {kind: len(known) for kind, known in first.items()}
    assert counts == {
        "event": 4,
        "log": 0,  # without a server nothing is logged
        "reasoning": 4,
        "judge_decision": 0,  # part of its step in a bundle
        "screenshot": 4,
        "modelio": 1,
    }
    assert push(bundle, served).pending == 0
    assert held(agent, "kept") == first


def test_a_picture_that_the_server_lost_is_sent_again(
    served: Served, agent: httpx.Client, tmp_path: Path
) -> None:
    bundle = record(tmp_path / "b", "lossy", None)
    other = bundle / "screenshots/0003_pre.png"
    saved = other.read_bytes()
    other.unlink()
    push(bundle, served)
    assert "3/pre" not in held(agent, "lossy")["screenshot"]
    other.write_bytes(saved)
    assert push(bundle, served).pending == 0
    assert "3/pre" in held(agent, "lossy")["screenshot"]
