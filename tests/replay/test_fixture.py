"""Replay fixtures: what they expect, what they carry, and what they refuse."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, cast

import augur_schema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augur_sdk.models import ReplayFixture
from augur_sdk.models.validators import problems
from augur_sdk.replay import build_fixture, make_fixture


def expected(fixture: ReplayFixture) -> dict[str, Any]:
    return cast("dict[str, Any]", fixture.get("expected"))


def assert_valid(fixture: Any, prior: Any) -> None:
    assert problems("replay_fixture", fixture) == []
    assert problems("prior_steps", prior) == []
    augur_schema.validator_for("replay_fixture").validate(fixture)
    augur_schema.validator_for("prior_steps").validate(prior)


def test_a_fixture_expects_what_was_captured(
    step: dict[str, Any], steps: list[dict[str, Any]]
) -> None:
    fixture, prior = make_fixture(step, steps, task="Save the file.")
    assert_valid(fixture, prior)
    assert fixture == {
        "fixture_id": fixture["fixture_id"],
        "step_id": "step_0002",
        "mode": "observation_replay",
        "task": "Save the file.",
        "observation": "screenshots/0002_pre.png",
        "prior_steps": "replay/0002.prior.json",
        "captured_versions": {"model": "m-1"},
        "expected": {
            "action_type": "click",
            "captured_action": step["action"],
            "verdict_status": "passed",
            "acceptable_regions": [
                {"x1": 376, "y1": 276, "x2": 424, "y2": 324, "label": "Save"},
            ],
        },
    }


def test_prior_steps_are_those_before_in_their_order(
    step: dict[str, Any], steps: list[dict[str, Any]]
) -> None:
    _, prior = make_fixture(step, reversed(steps))
    assert [p["step_index"] for p in prior] == [0, 1]
    assert prior[0]["verdict"] == {"status": "passed", "reason": "the dialog closed"}


def test_the_first_step_names_no_prior_steps(steps: list[dict[str, Any]]) -> None:
    fixture, prior = make_fixture(steps[0], steps)
    assert fixture.get("prior_steps", "absent") is None
    assert prior == []
    assert_valid(fixture, prior)


def test_the_same_step_gives_the_same_fixture(step: dict[str, Any]) -> None:
    assert make_fixture(step) == make_fixture(copy.deepcopy(step))


def test_another_mode_is_another_fixture(step: dict[str, Any]) -> None:
    replayed, _ = make_fixture(step)
    modelled, _ = make_fixture(step, mode="model_replay")
    assert replayed["fixture_id"] != modelled["fixture_id"]


def test_what_the_caller_expects_wins(step: dict[str, Any]) -> None:
    region = {"x1": 0, "y1": 0, "x2": 10, "y2": 10}
    fixture, _ = make_fixture(
        step,
        acceptable_regions=[region],
        expected={"verdict_status": "failed"},
        fixture_id="mine",
    )
    assert fixture["fixture_id"] == "mine"
    assert expected(fixture)["acceptable_regions"] == [region]
    assert expected(fixture)["verdict_status"] == "failed"
    assert expected(fixture)["action_type"] == "click"


def test_without_grounding_the_actions_own_point_counts(step: dict[str, Any]) -> None:
    del step["grounding"]
    step["action"]["params"] = {"coordinate": [10, 20]}
    fixture, _ = make_fixture(step, region_radius=5)
    assert expected(fixture)["acceptable_regions"] == [{"x1": 5, "y1": 15, "x2": 15, "y2": 25}]


def test_an_action_without_a_point_has_no_region(step: dict[str, Any]) -> None:
    del step["grounding"]
    step["action"] = {"type": "type", "params": {"text": "hello"}}
    fixture, _ = make_fixture(step)
    assert "acceptable_regions" not in expected(fixture)


def test_steps_that_lack_parts_still_make_valid_prior_steps(step: dict[str, Any]) -> None:
    bare = {"step_id": "a", "step_index": 0, "step_type": "x", "status": "pending"}
    fixture, prior = make_fixture(step, [bare])
    assert_valid(fixture, prior)


@pytest.mark.parametrize("region", [{}, {"x1": 5, "y1": 0, "x2": 1, "y2": 1}, {"x1": "a"}])
def test_what_is_no_rectangle_is_refused(step: dict[str, Any], region: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="rectangle"):
        make_fixture(step, acceptable_regions=[region])


def test_a_step_without_a_picture_is_refused(step: dict[str, Any]) -> None:
    step["observation_pre"] = None
    with pytest.raises(ValueError, match="no picture"):
        make_fixture(step)


def test_an_unknown_mode_is_refused(step: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="mode"):
        make_fixture(step, mode="guess")  # type: ignore[arg-type]  # what a caller might pass


def test_the_arguments_are_not_changed(step: dict[str, Any], steps: list[dict[str, Any]]) -> None:
    before = copy.deepcopy((step, steps))
    fixture, prior = make_fixture(step, steps)
    expected(fixture)["action_type"] = "changed"
    prior.clear()
    assert (step, steps) == before


@given(x=st.integers(-5000, 5000), y=st.floats(-5000, 5000), radius=st.integers(0, 500))
def test_the_captured_action_is_always_acceptable(x: int, y: float, radius: int) -> None:
    action = {"type": "click", "params": {"x": x, "y": y}}
    step = {"step_id": "s", "step_index": 0, "observation_pre": "p", "action": action}
    fixture, prior = make_fixture(step, region_radius=radius)
    assert_valid(fixture, prior)
    (region,) = expected(fixture)["acceptable_regions"]
    assert region["x1"] <= x <= region["x2"]
    assert region["y1"] <= y <= region["y2"]


def test_a_bundles_fixture_takes_task_and_prior_steps_from_it(bundle: Path) -> None:
    fixture, prior = build_fixture(bundle, 1)
    assert fixture.get("task") == "Save the file."
    assert [p["step_index"] for p in prior] == [0]
    assert_valid(fixture, prior)


def test_a_step_that_is_not_there_is_refused(bundle: Path) -> None:
    with pytest.raises(ValueError, match="no step 9"):
        build_fixture(bundle, 9)


def test_a_folder_without_a_trace_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        build_fixture(tmp_path, 0)
