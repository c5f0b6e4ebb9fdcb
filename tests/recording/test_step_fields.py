from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from both_classes import Open
from scenarios import read_json, step

SPEC = {
    "instruction": "book a table",
    "subgoals": [{"subgoal_id": "found", "description": "the restaurant is found"}],
}


def test_versions_merge_and_unset_arguments_stay(open_session: Open, bundle: Path) -> None:
    versions = {
        "model": "m",
        "prompt": "p",
        "prompt_hash": "h",
        "tool_descriptions_hash": "t",
        "code_git_sha": "c",
        "grounder": "g",
        "env_fingerprint_ref": "e",
    }
    with open_session() as session:
        session.record_step(step(0))
        for name, value in versions.items():
            session.set_step_versions(0, **{name: value})
        session.set_step_versions(0, model="m2")
    stored = read_json(bundle / "steps/0000.json")["captured_versions"]
    assert stored == {**versions, "model": "m2"}


def test_the_environment_is_attached_member_by_member(open_session: Open, bundle: Path) -> None:
    found: dict[str, Any] = {
        "url_host": "example.com",
        "url_path_template": "/users/:id",
        "viewport_hash": "v",
        "dom_hash": "d",
        "api_shapes": {"search": "s"},
        "extensions": ["adblock"],
    }
    with open_session() as session:
        session.record_step(step(0))
        session.attach_env_fingerprint(0, url_host="other", dom_hash="d")
        session.attach_env_fingerprint(0, **{k: v for k, v in found.items() if k != "dom_hash"})
        with pytest.raises(ValueError, match="extensions"):
            session.attach_env_fingerprint(0, extensions="adblock")
        with pytest.raises(ValueError, match="api_shapes"):
            session.attach_env_fingerprint(0, api_shapes=["search"])
    assert read_json(bundle / "steps/0000.json")["env_fingerprint"] == found


def test_what_was_patched_in_outlives_a_new_record_of_the_step(
    open_session: Open, bundle: Path
) -> None:
    with open_session() as session:
        session.record_step(step(0, status="running"))
        session.set_step_versions(0, model="m", grounder="g")
        session.attach_env_fingerprint(0, url_host="h")
        session.set_step_costs(0, total_usd=1.0)
        session.set_loop_detected(0)
        session.record_step(step(0, captured_versions={"model": "own"}))
    record = read_json(bundle / "steps/0000.json")
    assert record["captured_versions"] == {"model": "own", "grounder": "g"}
    assert record["env_fingerprint"] == {"url_host": "h"}
    assert record["costs"] == {"total_usd": 1.0}
    assert record["loop_detected"] is True
    assert record["status"] == "succeeded"


def test_loops_can_be_said_and_taken_back(open_session: Open, bundle: Path) -> None:
    with open_session() as session:
        session.record_step(step(0))
        session.record_step(step(1))
        session.set_loop_detected(0)
        session.set_loop_detected(1)
        session.set_loop_detected(1, False)
    assert read_json(bundle / "steps/0000.json")["loop_detected"] is True
    assert read_json(bundle / "steps/0001.json")["loop_detected"] is False


def test_the_first_step_that_completed_a_subgoal_is_remembered(
    open_session: Open, bundle: Path
) -> None:
    with open_session(task_spec=SPEC) as session:
        for index in range(4):
            session.record_step(step(index))
        session.record_subgoal_completion(0, "found", 0.5)
        session.record_subgoal_completion(1, "found", 2.0)
        session.record_subgoal_completion(2, "found", 1.0)
        session.record_subgoal_completion(3, "found", 0.25)
        session.record_subgoal_completion(3, "found", 0.75)
    completions = [
        read_json(bundle / f"steps/{index:04d}.json")["subgoals_completed"] for index in range(4)
    ]
    found = {"subgoal_id": "found"}
    assert completions == [
        [{**found, "completion": 0.5}],
        [{**found, "completion": 1.0, "first_completed_at_step": 1}],
        [{**found, "completion": 1.0, "first_completed_at_step": 1}],
        [{**found, "completion": 0.75, "first_completed_at_step": 1}],
    ]


def test_an_undeclared_subgoal_is_stored_with_a_warning_at_the_callers_line(
    open_session: Open, bundle: Path
) -> None:
    with open_session(task_spec=SPEC) as session:
        session.record_step(step(0))
        with pytest.warns(UserWarning, match="declares no subgoal"):
            session.record_subgoal_completion(0, "elsewhere", 1.0)
    (stored,) = read_json(bundle / "steps/0000.json")["subgoals_completed"]
    assert stored["subgoal_id"] == "elsewhere"


def test_without_a_task_spec_no_subgoal_is_undeclared(open_session: Open) -> None:
    with open_session() as session, warnings.catch_warnings():
        warnings.simplefilter("error")
        session.record_step(step(0))
        session.record_subgoal_completion(0, "anything", 1.0)


def test_a_warning_points_at_the_callers_own_line(tmp_path: Path) -> None:
    from augur_sdk import DebugSession

    with DebugSession(
        run_id="r", client_name="c", out_dir=tmp_path / "b", capture_mode="full"
    ) as session:
        session.record_step(step(0))
        with pytest.warns(DeprecationWarning, match="iteration") as caught:
            session.record_step(step(0, step_id="other"))
    assert [Path(warning.filename).name for warning in caught] == [Path(__file__).name]
