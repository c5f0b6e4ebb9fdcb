from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from both_classes import Open
from canaries import (
    ALL,
    CONTENT,
    COSTS,
    LATENCY,
    MODEL_TALK,
    PICTURE,
    RUN_CONTENT,
    canary,
    found_in,
    picture,
    whole_run,
    whole_step,
)
from scenarios import STARTED, files_of, png, read_json, step

from augur_sdk import CaptureMode, DebugSession
from augur_sdk.validation import validate_bundle

MUTATED = {
    "parent_run_id": "p",
    "branch_point_step_index": 0,
    "mutated_axis": "model",
    "mutation": {"model": canary("mutation")},
}
METADATA_STEP = {
    "step_id",
    "step_index",
    "step_type",
    "status",
    "failure_class",
    "started_at",
    "ended_at",
    "duration_ms",
    "costs",
    "latency",
    "action",
    "verdict",
    "branch_context",
}


def allowed(mode: CaptureMode) -> set[str]:
    kept: set[str] = set()
    if mode >= CaptureMode.TRACE:
        kept |= CONTENT | RUN_CONTENT
    if mode >= CaptureMode.SCREENSHOTS:
        kept |= PICTURE
    if mode >= CaptureMode.MODEL_IO:
        kept |= MODEL_TALK
    return kept


def bytes_of(folder: Path) -> bytes:
    """Every byte of a bundle, and every file name in it."""
    return b"\n".join(name.encode() + b"\n" + data for name, data in files_of(folder).items())


def test_a_mode_set_in_the_middle_is_stamped_and_a_steps_own_wins(
    open_session: Open, bundle: Path
) -> None:
    with open_session(capture_mode="metadata") as session:
        session.record_step(step(0))
        session.set_capture_mode(CaptureMode.SCREENSHOTS)
        session.record_step(step(1))
        session.record_step(step(2, capture_mode="full"))
        session.set_capture_mode("trace")
        session.record_step(step(3))
        assert session.capture_mode is CaptureMode.METADATA
        for wrong in ("everything", 3, ""):
            with pytest.raises(ValueError, match="capture"):
                session.set_capture_mode(wrong)
        session.set_capture_mode(None)
        session.record_step(step(4))
    trace = read_json(bundle / "trace.json")
    modes = [record.get("capture_mode") for record in trace["steps"]]
    assert modes == [None, "screenshots", "full", "trace", None]
    assert trace["session"]["capture_mode"] == "metadata"
    assert read_json(bundle / "manifest.json")["capture_mode"] == "metadata"


def test_without_enforcement_every_mode_but_off_keeps_everything(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "b"
    with DebugSession(
        run_id="r",
        client_name="c",
        out_dir=folder,
        capture_mode="metadata",
        branch_context=MUTATED,
    ) as session:
        whole_run(session)
    assert found_in(bytes_of(folder)) == ALL


@pytest.mark.parametrize("mode", list(CaptureMode), ids=str)
def test_an_enforced_mode_bounds_every_byte_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: CaptureMode
) -> None:
    monkeypatch.setenv("AUGUR_ENFORCE_CAPTURE_MODE", "1")
    folder = tmp_path / "b"
    with DebugSession(
        run_id="r", client_name="c", out_dir=folder, capture_mode=mode, branch_context=MUTATED
    ) as session:
        whole_run(session)
        session.flush()
        assert found_in(bytes_of(folder)) <= allowed(mode)
    assert found_in(bytes_of(folder)) == allowed(mode)
    assert validate_bundle(folder) == []
    assert session.stats.schema_problems == 0


@pytest.mark.parametrize(
    "mode", [CaptureMode.METADATA, CaptureMode.TRACE, CaptureMode.SCREENSHOTS], ids=str
)
def test_both_classes_enforce_the_same(open_session: Open, bundle: Path, mode: CaptureMode) -> None:
    with open_session(
        capture_mode=mode, enforce_capture_mode=True, branch_context=MUTATED
    ) as session:
        whole_run(session)
    assert found_in(bytes_of(bundle)) == allowed(mode)


def test_metadata_keeps_the_structure_of_a_step(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    with DebugSession(
        run_id="r",
        client_name="c",
        out_dir=folder,
        capture_mode="metadata",
        enforce_capture_mode=True,
        branch_context=MUTATED,
    ) as session:
        session.record_step(whole_step(0, status="running"))
        session.attach_verifier(0, status="passed", reason=canary("reason"))
        session.set_step_costs(0, tokens_out=5)
        session.record_step(whole_step(0, verdict={"status": "passed", "reason": "x"}))
        session.record_step(whole_step(1))
        session.attach_verifier(1, status="passed", reason=canary("reason"))
    record = read_json(folder / "steps/0000.json")
    assert record.keys() == METADATA_STEP
    assert record["costs"] == {**COSTS, "tokens_out": 5}
    assert record["latency"] == LATENCY
    assert record["action"] == {"type": "click"}
    assert record["verdict"] == {"status": "passed"}
    assert record["branch_context"] == {k: v for k, v in MUTATED.items() if k != "mutation"}
    assert read_json(folder / "steps/0001.json")["verdict"] == {"status": "passed"}


def test_pictures_that_are_not_kept_are_listed_as_missing(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    with DebugSession(
        run_id="r",
        client_name="c",
        out_dir=folder,
        capture_mode="trace",
        enforce_capture_mode=True,
    ) as session:
        path = session.attach_observation(step_index=0, kind="pre", png_bytes=png())
        session.record_step(step(0, observation_pre=path))
    assert path == "screenshots/0000_pre.png"
    assert read_json(folder / "manifest.json")["missing"] == [path]
    assert validate_bundle(folder) == []


def test_an_upgrade_in_the_middle_raises_the_bound_and_a_downgrade_lowers_it(
    open_session: Open, bundle: Path
) -> None:
    with open_session(capture_mode="metadata", enforce_capture_mode=True) as session:
        session.record_step(step(0))
        session.set_capture_mode("screenshots")
        session.attach_observation(step_index=1, kind="pre", png_bytes=png(1))
        session.record_step(step(1))
        session.set_capture_mode("trace")
        session.set_score(1, 0.5)
        session.attach_observation(step_index=2, kind="pre", png_bytes=png(2))
        session.record_step(step(2))
        session.set_capture_mode("off")
        session.record_step(step(3))
        session.set_costs(total_usd=1)
    steps = read_json(bundle / "trace.json")["steps"]
    assert [record.get("intent") for record in steps] == [None, "click button 1", "click button 2"]
    assert steps[1]["verdict"] == {"status": "passed", "score": 0.5}
    pictures = [name for name in files_of(bundle) if name.endswith(".png")]
    assert pictures == ["screenshots/0001_pre.png"]


def test_a_lower_mode_in_the_middle_takes_nothing_from_earlier_steps(
    open_session: Open, bundle: Path
) -> None:
    with open_session(capture_mode="full", enforce_capture_mode=True) as session:
        session.record_step(step(0))
        session.set_capture_mode("metadata")
        session.set_step_costs(0, total_usd=1.0)
        session.record_judge_decision(
            0, judge_id="j", judge_type="rule", verdict={"status": "failed"}, promote=False
        )
    record = read_json(bundle / "steps/0000.json")
    assert record["intent"] == "click button 0"
    assert record["costs"] == {"total_usd": 1.0}
    assert "judge_decisions" not in record


def test_a_step_can_lower_its_bound_also_for_what_came_before_but_not_raise_it(
    open_session: Open, bundle: Path
) -> None:
    with open_session(capture_mode="screenshots", enforce_capture_mode=True) as session:
        for index, own in enumerate(("metadata", "full")):
            session.attach_observation(step_index=index, kind="pre", png_bytes=picture(index))
            session.record_event(
                {
                    "ts": STARTED,
                    "step_index": index,
                    "layer": "planner",
                    "kind": "info",
                    "summary": f"event {index}",
                }
            )
            session.record_step(step(index, capture_mode=own))
            session.record_reasoning(index, canary("thought"))
    names = {name for name in files_of(bundle) if name.startswith(("events", "screenshots"))}
    assert names == {
        "events/0001.jsonl",
        "screenshots/0001_pre.json",
        "screenshots/0001_pre.png",
    }
    modes = [record["capture_mode"] for record in read_json(bundle / "trace.json")["steps"]]
    assert modes == ["metadata", "full"]


def test_off_keeps_nothing_and_still_checks_the_lifecycle(open_session: Open, bundle: Path) -> None:
    session = open_session(capture_mode="off")
    with pytest.raises(RuntimeError, match="before"):
        session.record_reasoning(0, "x")
    with session:
        whole_run(session)
        made: Any = session.declare_side_effect(0, "r", "a")
        session.commit_side_effect(made)
        session.commit_side_effect("never declared")
        session.set_score(99, 1)
        assert session.abort_pending_side_effects("x") == []
        assert session.record_modelio({}, step_index=4, layer="judge") == (
            "modelio/0004-judge-0.json"
        )
        assert session.finalize_outcome(scope="step", step_index=7)["step_index"] == 7
    names = {name for name in files_of(bundle) if not name.startswith("schema/")}
    assert names == {"AGENT.md", "manifest.json", "trace.json"}
    assert found_in(bytes_of(bundle)) <= RUN_CONTENT
    with pytest.raises(RuntimeError, match="after"):
        session.mark_for_eval(0, "x")
