from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scenarios import files_of, png, read_json, step

from augur_sdk import DebugSession
from augur_sdk.recording.table import HOT_STEPS
from augur_sdk.validation import validate_bundle

CHILD = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parents[1] / "kit")!r})
from scenarios import step, png
from augur_sdk import DebugSession
session = DebugSession(run_id="r", client_name="c", out_dir=sys.argv[1], capture_mode="full",
                       debug_session_id="dbg_one", started_at="2026-01-01T00:00:00Z")
session.__enter__()
exec(sys.argv[2])
session.flush()
os.write(1, b"flushed")
sys.stdin.read()
"""


def killed_after(folder: Path, body: str) -> None:
    """Let a process record and flush, then kill it."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), body],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert os.read(child.stdout.fileno(), 100) == b"flushed"
        child.send_signal(signal.SIGKILL)
        child.wait()


def resumed(folder: Path, **options: Any) -> DebugSession:
    return DebugSession(
        run_id="r",
        client_name="c",
        out_dir=folder,
        capture_mode="full",
        debug_session_id="dbg_one",
        **options,
    )


def call(**fields: Any) -> dict[str, Any]:
    return {"layer": "planner", "request": {"model": "m"}, "response": {}, **fields}


def test_any_step_can_be_patched_in_a_resumed_session(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    killed_after(folder, "for i in range(1200): session.record_step(step(i))")
    with resumed(folder) as session:
        session.set_score(0, 0.25)
        session.record_judge_decision(
            700, judge_id="j", judge_type="rule", verdict={"status": "failed"}
        )
        session.record_step(step(1200))
    steps = read_json(folder / "trace.json")["steps"]
    assert len(steps) == 1201
    assert steps[0]["verdict"] == {"status": "passed", "score": 0.25}
    assert steps[0]["intent"] == "click button 0"
    assert steps[700]["verdict"]["status"] == "failed"


def test_any_step_of_a_long_run_can_be_patched(tmp_path: Path) -> None:
    with resumed(tmp_path / "b") as session:
        for index in range(4 * HOT_STEPS):
            session.record_step(step(index))
        for index in (0, 1, HOT_STEPS, 4 * HOT_STEPS - 1):
            session.set_step_versions(index, model=f"m{index}")
            session.set_step_costs(index, tokens_in=index)
        outcome = session.finalize_outcome(scope="step", step_index=2)
    assert outcome["verdict"] == {"status": "passed"}
    for index in (0, 1, HOT_STEPS, 4 * HOT_STEPS - 1):
        record = read_json(tmp_path / f"b/steps/{index:04d}.json")
        assert record["captured_versions"] == {"model": f"m{index}"}
        assert record["intent"] == f"click button {index}"


def test_a_resumed_session_knows_its_model_calls(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    killed_after(
        folder,
        """
def call(**f): return {"layer": "planner", "request": {"model": "m"}, "response": {}, **f}
session.record_modelio(call(prompt_hash="h0"), step_index=0)
session.record_modelio(call(), step_index=0)
session.record_modelio(call(prompt_hash="later"), step_index=5)
session.record_modelio(call(layer="judge"))
""",
    )
    with resumed(folder) as session:
        assert session.record_modelio(call(prompt_hash="h0"), step_index=0) == (
            "modelio/0000-planner-0.json"
        )
        assert session.record_modelio(call(), step_index=0) == "modelio/0000-planner-2.json"
        assert session.record_modelio(call(layer="judge")) == "modelio/run-judge-1.json"
        session.record_step(step(5))
    assert read_json(folder / "steps/0005.json")["captured_versions"] == {
        "model": "m",
        "prompt_hash": "later",
    }
    assert validate_bundle(folder) == []


def test_a_resumed_session_knows_its_ledger(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    killed_after(
        folder,
        """
first = session.declare_side_effect(0, "r0", "a")
session.declare_side_effect(0, "r1", "a", side_effect_id="a b")
session.declare_side_effect(1, "r2", "a", side_effect_id="gone")
session.commit_side_effect("gone", 3)
session.record_step(step(0))
""",
    )
    with resumed(folder) as session:
        with pytest.raises(ValueError, match="already"):
            session.commit_side_effect("gone")
        with pytest.raises(ValueError, match="before"):
            session.declare_side_effect(0, "r", "a", side_effect_id="a b")
        session.commit_side_effect("a b", {"ok": True})
        made = session.declare_side_effect(2, "r3", "a")
        assert len(session.abort_pending_side_effects("over")) == 2
    effects = [read_json(path) for path in (folder / "side_effects").iterdir()]
    assert len({effect["side_effect_id"] for effect in effects}) == 4
    by_resource = {effect["resource"]: effect for effect in effects}
    assert by_resource["r1"]["status"] == "committed"
    assert by_resource["r1"]["step_id"] == "s0"
    assert by_resource["r0"]["status"] == "aborted"
    assert by_resource["r3"]["side_effect_id"] == made
    assert validate_bundle(folder) == []


def test_a_resumed_session_knows_what_was_said_of_the_run(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    killed_after(
        folder,
        """
session.set_costs(total_usd=5.0)
session.add_tag("k", "v")
session.set_task_spec({"instruction": "x", "subgoals": [{"subgoal_id": "g", "description": "d"}]})
for i in range(3): session.record_step(step(i, costs={"tokens_in": 10}))
session.record_step_iteration(0, step(0, step_id="again", costs={"tokens_in": 1}))
session.record_subgoal_completion(1, "g", 1.0)
session.mark_for_eval(0, "before")
session.finalize_outcome(scope="step", step_index=0)
""",
    )
    with resumed(folder, tags={"k2": "v2"}) as session:
        assert session.successful_task_cost_summary() == {"total_usd": 5.0, "tokens_in": 31}
        session.record_subgoal_completion(2, "g", 1.0)
        session.mark_for_eval(0, "after")
        session.mark_for_eval(2, "after")
        session.finalize_outcome()
    trace = read_json(folder / "trace.json")
    assert trace["session"]["tags"] == {"k": "v", "k2": "v2"}
    assert trace["session"]["costs"] == {"total_usd": 5.0}
    assert trace["session"]["task_spec"]["instruction"] == "x"
    assert trace["steps"][2]["subgoals_completed"][0]["first_completed_at_step"] == 1
    candidates = read_json(folder / "eval_candidates.json")["candidates"]
    assert [(c["step_index"], c["reason"]) for c in candidates] == [(0, "after"), (2, "after")]
    outcomes = read_json(folder / "outcomes.json")["outcomes"]
    assert [outcome["scope"] for outcome in outcomes] == ["step", "session"]


def test_what_was_patched_in_before_outlives_a_new_record_after(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    killed_after(
        folder,
        """
session.record_step(step(0, status="running"))
session.attach_env_fingerprint(0, url_host="h")
session.set_step_versions(0, grounder="g")
""",
    )
    with resumed(folder) as session:
        session.record_step(step(0, captured_versions={"model": "m"}))
    record = read_json(folder / "steps/0000.json")
    assert record["env_fingerprint"] == {"url_host": "h"}
    assert record["captured_versions"] == {"model": "m", "grounder": "g"}


def test_a_resumed_branch_does_not_bring_its_prefix_again(tmp_path: Path) -> None:
    with DebugSession(
        run_id="run_a", client_name="c", out_dir=tmp_path / "parent", capture_mode="full"
    ) as parent:
        for index in range(3):
            parent.attach_observation(step_index=index, kind="pre", png_bytes=png(index))
            parent.record_step(step(index))
    folder = tmp_path / "b"
    killed_after(
        folder,
        f"""
session.close()
import shutil; shutil.rmtree(sys.argv[1])
session = DebugSession.branch_from(parent_run_id="run_a", branch_point_step_index=2,
    mutated_axis="model", mutation={{}}, client_name="c", out_dir=sys.argv[1],
    parent_bundle={str(tmp_path / "parent")!r}, debug_session_id="dbg_one")
session.__enter__()
session.set_score(0, 0.5)
""",
    )
    with DebugSession.branch_from(
        parent_run_id="run_a",
        branch_point_step_index=2,
        mutated_axis="model",
        mutation={},
        client_name="c",
        out_dir=folder,
        parent_bundle=tmp_path / "parent",
        debug_session_id="dbg_one",
    ) as session:
        session.record_step(step(2))
    steps = read_json(folder / "trace.json")["steps"]
    assert [record["step_id"] for record in steps] == ["s0", "s1", "s2"]
    assert steps[0]["verdict"]["score"] == 0.5
    pictures = [name for name in files_of(folder) if name.endswith(".png")]
    assert len(pictures) == 2
