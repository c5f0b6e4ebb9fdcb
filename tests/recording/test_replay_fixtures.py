"""Replay fixtures that a session saves: what they hold, refuse, hide, and outlive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import augur_schema
import pytest
from both_classes import Open
from scenarios import files_of, png, read_json, step

from augur_sdk import DebugSession
from augur_sdk.recording import table
from augur_sdk.replay import build_fixture
from augur_sdk.replay.fixture import REGION_RADIUS
from augur_sdk.testing import CaptureServer
from augur_sdk.validation import validate_bundle


def seen_step(session: Any, index: int, **fields: Any) -> None:
    """Record a step with the picture taken before it."""
    path = session.attach_observation(step_index=index, kind="pre", png_bytes=png(index))
    session.record_step(step(index, observation_pre=path, **fields))


def test_a_saved_fixture_is_what_the_bundle_gives_afterwards(
    open_session: Open, bundle: Path
) -> None:
    spec = {"task_spec_id": "t", "instruction": "Send the letter."}
    with open_session(task_spec=spec) as session:
        for index in range(3):
            seen_step(session, index)
        assert session.save_replay_fixture(2) == "replay/0002_fixture.json"
    fixture = read_json(bundle / "replay/0002_fixture.json")
    prior = read_json(bundle / "replay/0002.prior.json")
    assert (fixture, prior) == build_fixture(bundle, 2)
    assert fixture["task"] == "Send the letter."
    assert [each["step_index"] for each in prior] == [0, 1]
    augur_schema.validator_for("replay_fixture").validate(fixture)
    augur_schema.validator_for("prior_steps").validate(prior)
    assert validate_bundle(bundle) == []
    signed = read_json(bundle / "manifest.json")["signatures"]
    assert {"replay/0002_fixture.json", "replay/0002.prior.json"} <= signed.keys()


def test_the_first_step_has_no_prior_steps(open_session: Open, bundle: Path) -> None:
    with open_session() as session:
        seen_step(session, 0)
        session.save_replay_fixture(0)
    assert read_json(bundle / "replay/0000_fixture.json")["prior_steps"] is None
    assert not (bundle / "replay/0000.prior.json").exists()
    assert validate_bundle(bundle) == []


def test_what_a_replay_is_held_against_can_be_given(open_session: Open, bundle: Path) -> None:
    region = {"x1": 1, "y1": 2, "x2": 3, "y2": 4, "label": "Save"}
    with open_session() as session:
        seen_step(session, 0)
        session.save_replay_fixture(
            0,
            mode="model_replay",
            task="Save it.",
            expected={"verdict_status": "failed"},
            acceptable_regions=[region],
            fixture_id="fix_mine",
        )
    fixture = read_json(bundle / "replay/0000_fixture.json")
    assert fixture["fixture_id"] == "fix_mine"
    assert (fixture["mode"], fixture["task"]) == ("model_replay", "Save it.")
    assert fixture["expected"]["verdict_status"] == "failed"
    assert fixture["expected"]["acceptable_regions"] == [region]
    assert validate_bundle(bundle) == []


@pytest.mark.parametrize("hot_steps", [1, 3])
def test_steps_that_left_memory_are_read_back(
    open_session: Open, bundle: Path, monkeypatch: pytest.MonkeyPatch, hot_steps: int
) -> None:
    monkeypatch.setattr(table, "HOT_STEPS", hot_steps)
    with open_session() as session:
        for index in range(20):
            seen_step(session, index)
            session.flush()
        session.save_replay_fixture(18)
        session.save_replay_fixture(4)
    prior = read_json(bundle / "replay/0018.prior.json")
    assert [each["intent"] for each in prior] == [f"click button {i}" for i in range(18)]
    assert len(read_json(bundle / "replay/0004.prior.json")) == 4
    assert validate_bundle(bundle) == []


def test_a_step_without_a_picture_is_refused_with_advice(open_session: Open) -> None:
    with open_session() as session:
        session.record_step(step(0))
        with pytest.raises(ValueError, match="Attach the screenshot taken before the action"):
            session.save_replay_fixture(0)
        seen_step(session, 0)
        session.save_replay_fixture(0)


def test_an_unknown_step_is_refused_like_everywhere(open_session: Open) -> None:
    with open_session() as session:
        with pytest.raises(ValueError, match="no step stands at step_index 3") as refused:
            session.save_replay_fixture(3)
        with pytest.raises(ValueError, match="no step stands") as elsewhere:
            session.set_loop_detected(3)
        assert str(refused.value) == str(elsewhere.value)


@pytest.mark.parametrize(
    "option",
    [
        {"mode": "wishful_replay"},
        {"expected": "click"},
        {"acceptable_regions": iter(())},
        {"acceptable_regions": [{"x1": 3, "y1": 0, "x2": 1, "y2": 1}]},
        {"region_radius": "wide"},
        {"fixture_id": ""},
    ],
    ids=lambda option: next(iter(option)),
)
def test_an_option_that_cannot_be_understood_is_refused(
    open_session: Open, bundle: Path, option: dict[str, Any]
) -> None:
    with open_session() as session:
        seen_step(session, 0)
        with pytest.raises(ValueError, match=r"\w"):
            session.save_replay_fixture(0, **option)
    assert not (bundle / "replay").exists()


def test_strict_mode_refuses_a_fixture_that_breaks_its_schema(
    open_session: Open, bundle: Path
) -> None:
    with open_session(strict=True) as session:
        seen_step(session, 0)
        with pytest.raises(ValueError, match="replay_fixture breaks its schema"):
            session.save_replay_fixture(0, expected={"verdict_status": "splendid"})
        session.save_replay_fixture(0)
    assert validate_bundle(bundle) == []


def test_what_was_typed_into_a_password_field_is_in_no_fixture(
    open_session: Open, bundle: Path
) -> None:
    typed = {"type": "type_text", "params": {"text": "4711", "x": 1, "y": 2}}
    with open_session() as session:
        for index in range(2):
            seen_step(
                session,
                index,
                action=typed,
                grounding={
                    "provider": "g",
                    "provenance": "screenshot",
                    "target_label": "PIN code",
                },
            )
        session.save_replay_fixture(1)
    assert b"4711" not in b"".join(files_of(bundle / "replay").values())
    assert validate_bundle(bundle) == []


@pytest.mark.parametrize("late", [0, 1], ids=["an earlier step", "the step itself"])
def test_a_fixture_is_withdrawn_when_a_step_of_it_turns_out_to_be_sensitive(
    open_session: Open, bundle: Path, late: int
) -> None:
    with open_session() as session:
        seen_step(session, 0, intent="open")
        seen_step(session, 1, intent="open")
        session.save_replay_fixture(0)
        session.save_replay_fixture(1)
        session.flush()
        session.record_step(step(late, sensitive=True))
    left = {path for path in files_of(bundle) if path.startswith("replay/")}
    assert left == (set() if late == 0 else {"replay/0000_fixture.json"})
    assert validate_bundle(bundle) == []


def test_of_a_sensitive_step_no_fixture_is_saved(open_session: Open, bundle: Path) -> None:
    with open_session() as session:
        seen_step(session, 0, sensitive=True)
        assert session.save_replay_fixture(0) == "replay/0000_fixture.json"
    assert not (bundle / "replay/0000_fixture.json").exists()
    assert validate_bundle(bundle) == []


def test_an_enforced_capture_mode_without_pictures_saves_none(
    open_session: Open, bundle: Path
) -> None:
    with open_session(capture_mode="metadata", enforce_capture_mode=True) as session:
        seen_step(session, 0)
        assert session.save_replay_fixture(0) == "replay/0000_fixture.json"
    assert not (bundle / "replay/0000_fixture.json").exists()


def test_a_resumed_session_still_withdraws_a_fixture(open_session: Open, bundle: Path) -> None:
    first = open_session()
    first.__enter__()
    seen_step(first, 0)
    first.save_replay_fixture(0)
    first.flush()
    journal = (bundle / "journal.jsonl").read_bytes()
    first.close()
    # What a killed process leaves: the journal, and no manifest.
    (bundle / "manifest.json").unlink()
    (bundle / "journal.jsonl").write_bytes(journal)
    with open_session() as session:
        session.record_step(step(0, sensitive=True))
    assert not (bundle / "replay/0000_fixture.json").exists()
    assert validate_bundle(bundle) == []


def test_a_streaming_session_keeps_fixtures_in_the_bundle_and_delivers_the_rest(
    open_session: Open, bundle: Path
) -> None:
    with CaptureServer() as server:
        with open_session(dsn=server.dsn) as session:
            seen_step(session, 0)
            session.save_replay_fixture(0)
        assert server.runs["run_1"].steps[0]["status"] == "succeeded"
        assert session.stats.pending == 0
        assert not [each for each in server.requests if "replay" in each.path]
    assert (bundle / "replay/0000_fixture.json").exists()


def test_the_default_radius_is_that_of_the_replay_module(tmp_path: Path) -> None:
    with DebugSession(
        run_id="r", client_name="c", out_dir=tmp_path / "b", capture_mode="full"
    ) as session:
        seen_step(session, 0)
        session.save_replay_fixture(0)
    region = read_json(tmp_path / "b/replay/0000_fixture.json")["expected"]["acceptable_regions"][0]
    assert region["x2"] - region["x1"] == 2 * REGION_RADIUS
