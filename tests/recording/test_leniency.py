"""One rule of leniency: what decides what a call does is refused, everything else is kept."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from both_classes import Open
from scenarios import read_json, step

from augur_sdk import CaptureMode, resolve_capture_mode


def test_an_outcome_with_a_word_of_the_agents_own_is_kept(open_session: Open, bundle: Path) -> None:
    with open_session() as session:
        session.finalize_outcome(verdict={"status": "completed"})
    assert session.stats.schema_problems == 1
    (outcome,) = read_json(bundle / "outcomes.json")["outcomes"]
    assert outcome["verdict"] == {"status": "completed"}


def test_a_status_of_the_agents_own_is_kept(open_session: Open, bundle: Path) -> None:
    with open_session() as session:
        session.set_status("completed")
    assert read_json(bundle / "trace.json")["session"]["status"] == "completed"


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(("given", "kept"), [("completed", "completed"), ("", ""), (7, "7")])
def test_closing_closes_whatever_its_argument(
    open_session: Open, bundle: Path, given: Any, kept: str, strict: bool
) -> None:
    session = open_session(strict=strict)
    with session:
        assert session.close(given)["run_id"] == "run_1"
    assert session.manifest is not None
    assert read_json(bundle / "trace.json")["session"]["status"] == kept


def test_odd_words_of_a_verifier_and_a_judge_are_kept(open_session: Open, bundle: Path) -> None:
    with open_session() as session:
        session.record_step(step(0))
        session.attach_verifier(0, status="ok", check="")
        session.record_judge_decision(
            0, judge_id="j", judge_type="model", verdict={"status": "great", "score": 7}
        )
    record = read_json(bundle / "steps/0000.json")
    assert [each["verdict"]["status"] for each in record["judge_decisions"]] == ["ok", "great"]
    assert record["verdict"] == {"status": "great", "score": 1.0}


def test_empty_optional_ids_are_kept_counted_and_said_once(
    open_session: Open, bundle: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_session(task_spec_id="") as session, caplog.at_level(logging.WARNING):
        session.finalize_outcome(task_class="")
        session.finalize_outcome(task_class="")
        session.set_group_id("")
        session.set_task_spec_id("")
        session.mark_for_eval(0, "odd", candidate_cluster_id="")
        session.set_live_endpoints(status_url="")
        assert session.stats.schema_problems == 6
    said = [record.message for record in caplog.records if "task_class is empty" in record.message]
    assert len(said) == 1
    assert read_json(bundle / "outcomes.json")["outcomes"][0]["task_class"] == ""
    assert read_json(bundle / "trace.json")["session"]["live"] == {"status_url": ""}


def test_an_outcome_of_the_session_keeps_the_step_that_it_was_given(
    open_session: Open, bundle: Path
) -> None:
    with open_session() as session:
        session.finalize_outcome(step_index=3, verdict={"status": "passed"})
        session.finalize_outcome(step_index=4, verdict={"status": "failed"})
    (outcome,) = read_json(bundle / "outcomes.json")["outcomes"]
    assert (outcome["scope"], outcome["step_index"]) == ("session", 4)


def test_half_a_token_is_kept_and_a_whole_number_is_whole(open_session: Open, bundle: Path) -> None:
    with open_session() as session:
        session.set_costs(tokens_in=1.5, tokens_out=2.0)
    assert read_json(bundle / "manifest.json")["costs"] == {"tokens_in": 1.5, "tokens_out": 2}


def test_the_costs_of_a_step_are_no_reason_to_lose_its_outcome(
    open_session: Open, bundle: Path
) -> None:
    with open_session() as session:
        session.record_step(step(0, costs={"tokens_in": "many"}))
        session.finalize_outcome(scope="step", step_index=0)
    (outcome,) = read_json(bundle / "outcomes.json")["outcomes"]
    assert outcome["cost_summary"] == {"tokens_in": "many"}


ODD: list[tuple[str, dict[str, Any]]] = [
    ("set_status", {"status": "completed"}),
    ("finalize_outcome", {"verdict": {"status": "completed"}}),
    ("finalize_outcome", {"task_class": ""}),
    ("finalize_outcome", {"step_index": 0}),
    ("set_costs", {"tokens_in": 1.5}),
    ("set_group_id", {"group_id": ""}),
    ("attach_verifier", {"step_index": 0, "status": "ok"}),
]


@pytest.mark.parametrize(("call", "arguments"), ODD, ids=repr)
def test_strict_raises_for_what_is_otherwise_kept(
    open_session: Open, call: str, arguments: dict[str, Any]
) -> None:
    with open_session(strict=True) as session:
        session.record_step(step(0))
        with pytest.raises(ValueError, match=r"\w"):
            getattr(session, call)(**arguments)


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("finalize_outcome", {"scope": "universe"}, "unknown_choice"),
    ("set_score", {"step_index": 0, "score": 1, "comparator": "me"}, "unknown_choice"),
    ("set_score", {"step_index": 9, "score": 1}, "unknown_id"),
    ("record_step", {"step": {"step_id": "s"}}, "missing"),
    ("record_step", {"step": "s"}, "wrong_type"),
    ("set_costs", {"tokens_in": "many"}, "wrong_type"),
    ("set_status", {"status": 7}, "wrong_type"),
    ("commit_side_effect", {"side_effect_id": "se_none"}, "unknown_id"),
]


@pytest.mark.parametrize(("call", "arguments", "reason"), REFUSED, ids=repr)
def test_a_refused_call_is_counted_by_method_and_reason_and_said_once(
    open_session: Open,
    caplog: pytest.LogCaptureFixture,
    call: str,
    arguments: dict[str, Any],
    reason: str,
) -> None:
    with open_session() as session, caplog.at_level(logging.WARNING):
        session.record_step(step(0))
        for _ in range(2):
            with pytest.raises(ValueError, match=r"\w"):
                getattr(session, call)(**arguments)
        assert session.stats.refused_calls == {call: {reason: 2}}
    assert len([each for each in caplog.records if "refused a call" in each.message]) == 1


def test_a_missing_step_is_a_lookup_error_too(open_session: Open) -> None:
    with open_session() as session, pytest.raises(LookupError, match="no step stands"):
        session.set_score(3, 1.0)


def test_a_typo_in_the_environment_is_warned_about_with_the_choices(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert resolve_capture_mode(env={"AUGUR_CAPTURE_MODE": "screenshot"}) is CaptureMode.OFF
    assert "screenshots" in caplog.text
    with pytest.raises(ValueError, match="capture mode"):
        resolve_capture_mode("screenshot")


def test_a_session_opens_whatever_the_environment_says(
    open_session: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AUGUR_CAPTURE_MODE", "screenshot")
    monkeypatch.setenv("AUGUR_STRICT", "perhaps")
    with open_session(capture_mode=None) as session:
        assert session.capture_mode is CaptureMode.OFF
    assert "AUGUR_CAPTURE_MODE" in caplog.text
    assert "AUGUR_STRICT" in caplog.text
