"""What is ready to be copied while a run goes on."""

from __future__ import annotations

from augur_sdk.bundle import layout
from augur_sdk.pipeline.settled_files import SETTLE, SettledFiles

STEP, PICTURE = layout.step_path(3), layout.screenshot_path(3, "pre")


def test_a_picture_waits_for_its_step_because_that_may_be_sensitive() -> None:
    files = SettledFiles()
    files.changed(PICTURE, 0.0)
    assert files.settled(1000.0) == []
    files.changed(STEP, 1000.0)
    assert files.settled(1000.0) == []
    assert files.settled(1000.0 + SETTLE) == [PICTURE, STEP]
    assert files.settled(2000.0) == []


def test_a_step_that_is_written_again_waits_anew() -> None:
    files = SettledFiles()
    files.changed(STEP, 0.0)
    files.changed(STEP, SETTLE * 0.9)
    assert files.settled(SETTLE * 1.5) == []
    assert files.settled(SETTLE * 2) == [STEP]


def test_what_comes_after_a_step_settles_by_itself() -> None:
    files = SettledFiles()
    files.changed(STEP, 0.0)
    files.settled(SETTLE)
    files.changed(layout.events_path(3), 5.0)
    assert files.settled(5.0 + SETTLE) == [layout.events_path(3)]


def test_an_iteration_stands_for_its_step() -> None:
    files = SettledFiles()
    files.changed(PICTURE, 0.0)
    files.changed(layout.iteration_path(3, "again"), 0.0)
    assert PICTURE in files.settled(SETTLE)


def test_what_grows_until_the_end_is_left_to_the_end() -> None:
    files = SettledFiles()
    whole_run = [layout.events_path(None), layout.REASONING, layout.log_path("run", None)]
    for path in [*whole_run, layout.TRACE, layout.OUTCOMES]:
        files.changed(path, 0.0)
    files.changed(layout.schema_path("manifest"), 0.0)
    assert files.settled(1000.0) == [layout.schema_path("manifest")]


def test_one_steps_changes_do_not_hold_up_another() -> None:
    files = SettledFiles()
    files.changed(layout.step_path(1), 0.0)
    files.changed(layout.step_path(2), SETTLE)
    assert files.settled(SETTLE) == [layout.step_path(1)]
