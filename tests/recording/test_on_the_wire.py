from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from both_classes import Open
from canaries import (
    CONTENT,
    LOGS,
    MODEL_TALK,
    PICTURE,
    RUN_CONTENT,
    canary,
    found_in,
    whole_run,
)
from scenarios import read_json, step

from augur_sdk import CaptureMode
from augur_sdk.testing import CaptureServer

BRANCH = {
    "parent_run_id": "p",
    "branch_point_step_index": 0,
    "mutated_axis": "model",
    "mutation": {"model": canary("mutation")},
}


@pytest.fixture
def server() -> Iterator[CaptureServer]:
    with CaptureServer() as running:
        yield running


def sent(server: CaptureServer) -> bytes:
    """Every byte that reached the server: paths and bodies."""
    return b"\n".join(
        request.path.encode() + b"\n" + request.body for request in list(server.requests)
    )


def allowed(mode: CaptureMode) -> set[str]:
    kept: set[str] = set()
    if mode >= CaptureMode.TRACE:
        kept |= CONTENT | RUN_CONTENT | LOGS
    if mode >= CaptureMode.SCREENSHOTS:
        kept |= PICTURE - {"url", "title"}  # a picture travels alone
    if mode >= CaptureMode.MODEL_IO:
        kept |= MODEL_TALK
    return kept


@pytest.mark.parametrize("mode", list(CaptureMode), ids=str)
def test_an_enforced_mode_bounds_every_byte_on_the_wire(
    open_session: Open, server: CaptureServer, mode: CaptureMode
) -> None:
    with open_session(
        capture_mode=mode, enforce_capture_mode=True, branch_context=BRANCH, dsn=server.dsn
    ) as session:
        whole_run(session)
    assert session.stats.pending == 0
    assert found_in(sent(server)) == allowed(mode)


def test_each_record_reaches_the_server_once_for_each_change(
    open_session: Open, server: CaptureServer, bundle: Path
) -> None:
    call = {"layer": "planner", "request": {"model": "m"}, "response": {}, "prompt_hash": "h"}
    with open_session(dsn=server.dsn) as session:
        session.set_costs(total_usd=0.5)
        declared = session.declare_side_effect(0, "r", "a")
        undecided = session.declare_side_effect(0, "r", "a")
        session.record_modelio(call, step_index=0)
        session.record_modelio(call, step_index=0)
        session.record_step(step(0))
        session.attach_verifier(0, status="failed", check="c")
        session.record_judge_decision(
            0, judge_id="j", judge_type="model", verdict={"status": "passed"}
        )
        session.commit_side_effect(declared, 1)
        session.record_reasoning(0, "x")
        session.append_log("one\n")
        session.append_log("two\n", step_index=0)
        session.mark_for_eval(0, "odd")
        session.finalize_outcome(scope="step", step_index=0)
        session.finalize_outcome()
        session.set_costs(tokens_in=3)
    assert session.stats.pending == 0
    run: Any = server.runs["run_1"]
    assert run.costs == {"total_usd": 0.5, "tokens_in": 3}
    assert [each["judge_id"] for each in run.judge_decisions[0]] == ["c", "j"]
    assert [d["step_index"] for d in run.judge_decisions[0]] == [0, 0]
    states = [(each["side_effect_id"], each["status"]) for each in run.side_effects]
    assert sorted(states) == sorted(
        [(declared, "intent_only"), (declared, "committed"), (undecided, "intent_only")]
    )
    assert len(run.modelio) == 1
    assert [record["text"] for record in run.reasoning] == ["x"]
    assert run.logs == {"run": "one\n", "step-0": "two\n"}
    assert len(run.eval_candidates) == 1
    assert sorted(outcome["scope"] for outcome in run.outcomes) == ["session", "step"]
    assert run.steps[0] == read_json(bundle / "steps/0000.json")
    assert read_json(bundle / f"side_effects/0000-{undecided}.json")["step_id"] == "s0"
