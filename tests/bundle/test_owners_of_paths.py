"""Which files are a bundle's, and which step they belong to."""

from __future__ import annotations

import pytest

from augur_sdk.bundle import layout


@pytest.mark.parametrize(
    ("path", "step"),
    [
        (layout.step_path(3), 3),
        (layout.iteration_path(3, "any"), 3),
        (layout.events_path(3), 3),
        (layout.events_path(None), None),
        (layout.screenshot_path(12_345, "pre"), 12_345),
        (layout.observation_path(3, "post"), 3),
        (layout.modelio_path(3, "planner", 0), 3),
        (layout.modelio_path(None, "planner", 0), None),
        (layout.side_effect_path(3, "0009"), 3),
        (layout.fixture_path(11), 11),
        (layout.prior_steps_path(11), 11),
        (layout.preference_path(11), 11),
        (layout.log_path("run", 7), 7),
        (layout.log_path("20260101", None), None),
        (layout.REASONING, None),
        (layout.TRACE, None),
        (layout.schema_path("step_trace"), None),
    ],
)
def test_a_path_says_which_step_it_belongs_to(path: str, step: int | None) -> None:
    assert layout.step_of(path) == step
    assert layout.belongs(path)


@pytest.mark.parametrize(
    "path",
    [*sorted(layout.CRASH_STATE), "notes.txt", "earlier.dbg_1/trace.json", "stepsister/0001.json"],
)
def test_crash_state_and_the_users_own_files_are_not_the_bundles(path: str) -> None:
    assert not layout.belongs(path)
