"""`EventRecorder` and `write_bundle`: records gathered by a program become a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scenarios import STARTED, event, files_of, png, read_json, step

from augur_sdk import LocalFSStore, RedactionPolicy, validate_bundle
from augur_sdk.bundle import write_bundle
from augur_sdk.recorder import EventRecorder

SESSION = {
    "schema_version": "0.1",
    "debug_session_id": "dbg_written00001",
    "run_id": "run_written",
    "client": {"name": "gatherer", "version": "2"},
    "capture_mode": "full",
    "started_at": STARTED,
    "ended_at": "2030-01-01T00:01:00Z",
    "status": "succeeded",
    "tags": {"team": "growth"},
    "costs": {"total_usd": 0.5},
}


@pytest.fixture
def recorder() -> EventRecorder:
    recorder = EventRecorder()
    recorder.stage_observation_bytes("screenshots/0000_pre.png", png(1))
    recorder.record_step({**step(0), "observation_pre": "screenshots/0000_pre.png"})
    recorder.record_step_iteration(0, {**step(0), "step_id": "again"})
    recorder.record_event(event(0))
    recorder.record_event({**event(0), "step_index": None})
    path = recorder.reserve_modelio_path(step_index=0, layer="model")
    call = {
        "schema_version": "0.1",
        "layer": "model",
        "ts": STARTED,
        "step_index": 0,
        "request": {"model": "m"},
        "response": {"text": "mail bob@shop.example"},
    }
    recorder.stage_modelio(path, call, prompt_hash="h")
    recorder.record_reasoning(
        trace={"step_index": 0, "text": "so", "format": "adapter_inferred", "ts": STARTED}
    )
    recorder.stage_outcome(record={"scope": "session", "finalized_at": STARTED})
    recorder.mark_for_eval(step_index=0, reason="odd", candidate_cluster_id=None, tagged_at=STARTED)
    effect = {
        "side_effect_id": "e1",
        "step_index": 0,
        "resource": "orders/1",
        "action": "submit",
        "status": "intent_only",
        "declared_at": STARTED,
        "reversibility": "irreversible",
        "provenance": "sdk_declared",
    }
    recorder.stage_side_effect(record=effect)
    return recorder


def test_what_was_gathered_becomes_a_valid_bundle(tmp_path: Path, recorder: EventRecorder) -> None:
    manifest = write_bundle(
        store=LocalFSStore(tmp_path / "b"),
        session=SESSION,
        recorder=recorder,
        policy=_masking_mail(),
    )
    root = tmp_path / "b"
    assert [issue.render() for issue in validate_bundle(root)] == []
    assert manifest["run_id"] == "run_written"
    session = read_json(root / "trace.json")["session"]
    assert {name: session[name] for name in SESSION} == SESSION
    assert read_json(root / "outcomes.json")["outcomes"][0]["finalized_at"] == STARTED
    assert read_json(root / "eval_candidates.json")["candidates"][0]["tagged_at"] == STARTED
    assert read_json(root / "side_effects/0000-e1.json")["declared_at"] == STARTED
    assert read_json(root / "modelio/0000-model-0.json")["response"] == {"text": "mail ***"}
    assert len(list((root / "steps/0000").iterdir())) == 2
    assert b"bob@" not in repr(files_of(root)).encode()


def test_a_manifest_without_signatures(tmp_path: Path, recorder: EventRecorder) -> None:
    store = LocalFSStore(tmp_path / "b")
    given: Any = {"session": SESSION, "recorder": recorder, "policy": RedactionPolicy()}
    manifest = write_bundle(store=store, include_signatures=False, **given)
    assert "signatures" not in manifest
    assert read_json(tmp_path / "b/manifest.json") == manifest
    assert [issue.render() for issue in validate_bundle(tmp_path / "b")] == []


def test_a_dsn_in_the_environment_sends_nothing(
    tmp_path: Path, recorder: EventRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUGUR_DSN", "http://t@127.0.0.1:9/x")
    given: Any = {"session": SESSION, "recorder": recorder, "policy": RedactionPolicy()}
    write_bundle(store=LocalFSStore(tmp_path / "b"), **given)
    assert not (tmp_path / "b/journal.jsonl").exists()


def test_steps_are_known_by_index_and_id(recorder: EventRecorder) -> None:
    assert recorder.record_step({**step(0), "intent": "other"}) is False
    assert recorder.record_step({**step(0), "step_id": "third"}) is True
    assert recorder.iteration_count(0) == 3
    first = recorder.get_step(0)
    assert first is not None
    assert (first["intent"], first["step_iterations"]) == ("other", 3)
    assert recorder.get_step_by_id("again") == recorder.iterations_for(0)[1]
    assert recorder.get_step(9) is None
    assert [known["step_index"] for known in recorder.all_steps()] == [0]


def test_an_iteration_needs_a_canonical_step_and_an_id_of_its_own(recorder: EventRecorder) -> None:
    with pytest.raises(LookupError):
        recorder.record_step_iteration(7, step(7))
    with pytest.raises(ValueError, match="step_id"):
        recorder.record_step_iteration(0, step(0))


def test_changes_merge_into_the_canonical_step(recorder: EventRecorder) -> None:
    assert recorder.patch_step_verdict(0, status="failed", reason="no")
    assert recorder.merge_step_verdict_score(0, score=0.5, components={"speed": 1})
    assert recorder.merge_step_verdict_signals(0, should_stop=True)
    assert recorder.merge_step_costs(0, costs={"model_usd": 1})
    assert recorder.merge_step_costs(0, costs={"tokens_in": 2})
    assert recorder.merge_step_captured_versions(0, versions={"model": "m"})
    assert recorder.merge_step_env_fingerprint(0, fingerprint={"url_host": "h"})
    assert recorder.set_step_loop_detected(0, value=True)
    assert recorder.patch_step_subgoal_completion(0, entry={"subgoal_id": "g", "completion": 0})
    assert recorder.patch_step_subgoal_completion(0, entry={"subgoal_id": "g", "completion": 1})
    found = recorder.get_step(0)
    assert found is not None
    assert found["verdict"] == {
        "status": "failed",
        "reason": "no",
        "score": 0.5,
        "score_components": {"speed": 1},
        "should_stop": True,
    }
    assert found["costs"] == {"model_usd": 1, "tokens_in": 2}
    assert found["subgoals_completed"] == [{"subgoal_id": "g", "completion": 1}]
    assert recorder.set_step_loop_detected(9, value=True) is False


@pytest.mark.parametrize("promoted", [True, False])
def test_a_judge_decision_is_the_verdict_only_when_promoted(
    recorder: EventRecorder, promoted: bool
) -> None:
    decision = {"judge_id": "j", "judge_type": "rule", "verdict": {"status": "skipped"}}
    recorder.append_judge_decision(
        0, decision=decision, promote_verdict=promoted, verdict_source="rule:j"
    )
    found = recorder.get_step(0)
    assert found is not None
    assert found["judge_decisions"] == [decision]
    assert (found["verdict"] == {"status": "skipped"}) is promoted
    assert ("verdict_source" in found) is promoted


def test_what_is_staged_comes_back_as_a_copy(recorder: EventRecorder) -> None:
    recorder.staged_outcomes()[0]["scope"] = "changed"
    assert recorder.staged_outcomes()[0]["scope"] == "session"
    assert recorder.lookup_modelio_by_hash("h") == "modelio/0000-model-0.json"
    assert recorder.reserve_modelio_path(step_index=0, layer="model") == "modelio/0000-model-1.json"
    assert [effect["side_effect_id"] for effect in recorder.pending_side_effects()] == ["e1"]
    recorder.stage_side_effect(record={"side_effect_id": "e1", "status": "committed"})
    assert recorder.pending_side_effects() == []
    assert recorder.get_side_effect("e1") == {"side_effect_id": "e1", "status": "committed"}
    assert recorder.events_for_step(0) == [event(0)]
    assert recorder.snapshot()["observation_bytes_count"] == 1


def _masking_mail() -> RedactionPolicy:
    policy = RedactionPolicy()
    policy.add_redactor(lambda text: text.replace("bob@shop.example", "***"))
    return policy
