from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from both_classes import Open
from scenarios import STARTED, read_json, step


def journaled(bundle: Path, kind: str) -> list[Any]:
    lines = (bundle / "journal.jsonl").read_bytes().splitlines()
    return [line["data"] for line in map(orjson.loads, lines) if line["kind"] == kind]


def test_a_verifier_replaces_the_verdict_and_stays_as_a_decision(
    open_session: Open, bundle: Path
) -> None:
    with open_session() as session:
        session.record_step(step(0, verdict={"status": "unknown", "score": 0.3}))
        session.attach_verifier(
            0,
            status="failed",
            check="url",
            expected="/done",
            actual=None,
            evidence_refs=["screenshots/0000_post.png"],
        )
    record = read_json(bundle / "steps/0000.json")
    verdict = {
        "status": "failed",
        "reason": "url: expected=/done actual=None",
        "evidence_refs": ["screenshots/0000_post.png"],
    }
    (decision,) = record["judge_decisions"]
    assert record["verdict"] == verdict
    assert record["verdict_source"] == "rule:url"
    assert decision.pop("judged_at").endswith("Z")
    assert decision == {"judge_id": "url", "judge_type": "rule", "verdict": verdict}


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"reason": "because", "check": "c", "expected": 1}, "because"),
        ({"check": "c", "expected": 1, "actual": 2}, "c: expected=1 actual=2"),
        ({"check": "c"}, "c"),
        ({"actual": "x"}, "expected=None actual=x"),
        ({}, None),
    ],
)
def test_the_reason_is_composed_where_none_is_given(
    open_session: Open, bundle: Path, given: dict[str, Any], reason: str | None
) -> None:
    with open_session() as session:
        session.record_step(step(0))
        session.attach_verifier(0, status="passed", **given)
    assert read_json(bundle / "steps/0000.json")["verdict"].get("reason") == reason


def test_a_verifier_without_a_check_is_called_attach_verifier(
    open_session: Open, bundle: Path
) -> None:
    with open_session() as session:
        session.record_step(step(0))
        session.attach_verifier(0, status="passed")
    record = read_json(bundle / "steps/0000.json")
    assert record["verdict_source"] == "rule:attach_verifier"
    assert record["judge_decisions"][0]["judge_id"] == "attach_verifier"


def test_a_verdict_that_the_producer_records_later_wins(open_session: Open, bundle: Path) -> None:
    with open_session() as session:
        session.record_step(step(0, status="running"))
        session.attach_verifier(0, status="failed")
        session.record_step(step(0, verdict={"status": "passed"}))
    record = read_json(bundle / "steps/0000.json")
    assert record["verdict"] == {"status": "passed"}
    assert "verdict_source" not in record
    assert len(record["judge_decisions"]) == 1


def test_a_verdict_from_outside_outlives_a_record_without_one(
    open_session: Open, bundle: Path
) -> None:
    running, done = step(0, status="running"), step(0)
    del running["verdict"], done["verdict"]
    with open_session() as session:
        session.record_step(running)
        session.attach_verifier(0, status="failed", check="c")
        session.record_step(done)
    record = read_json(bundle / "steps/0000.json")
    assert (record["status"], record["verdict"]["status"]) == ("succeeded", "failed")
    assert record["verdict_source"] == "rule:c"


def test_a_score_merges_into_the_verdict_and_is_clamped(open_session: Open, bundle: Path) -> None:
    with open_session() as session:
        session.record_step(step(0, verdict={"status": "recoverable", "reason": "hm"}))
        session.set_score(0, 7, comparator="human", components={"progress": 2, "mine": 12.5})
        session.set_score(0, -1, components={"loopiness": 0.25}, uncertainty=3, should_stop=True)
    assert read_json(bundle / "steps/0000.json")["verdict"] == {
        "status": "recoverable",
        "reason": "hm",
        "score": 0.0,
        "comparator": "human",
        "score_components": {"progress": 1.0, "mine": 12.5, "loopiness": 0.25},
        "uncertainty": 1.0,
        "should_stop": True,
    }


def test_a_score_for_a_step_without_a_verdict_makes_one_with_status_unknown(
    open_session: Open, bundle: Path
) -> None:
    plain = step(0)
    del plain["verdict"]
    with open_session() as session:
        session.record_step(plain)
        session.set_score(0, 0.5)
    assert read_json(bundle / "steps/0000.json")["verdict"] == {"status": "unknown", "score": 0.5}


@pytest.mark.parametrize("comparator", ["verifier", "model-judge", "exact-match", "human"])
def test_the_known_comparators_are_accepted_and_no_other(
    open_session: Open, comparator: str
) -> None:
    with open_session() as session:
        session.record_step(step(0))
        session.set_score(0, 1, comparator=comparator)
        with pytest.raises(ValueError, match="comparator"):
            session.set_score(0, 1, comparator="oracle")


def test_decisions_accumulate_in_order_and_the_promoted_one_is_the_verdict(
    open_session: Open, bundle: Path
) -> None:
    with open_session() as session:
        session.record_step(step(0, verdict={"status": "unknown"}))
        session.record_judge_decision(
            0,
            judge_id="j1",
            judge_type="model",
            verdict={"status": "passed", "score": 4},
            confidence=2,
            evidence_refs=["a"],
            judged_at=STARTED,
        )
        session.record_judge_decision(
            0, judge_id="j2", judge_type="human", verdict={"status": "failed"}, promote=False
        )
    record = read_json(bundle / "steps/0000.json")
    assert [decision["judge_id"] for decision in record["judge_decisions"]] == ["j1", "j2"]
    assert record["judge_decisions"][0] == {
        "judge_id": "j1",
        "judge_type": "model",
        "verdict": {"status": "passed", "score": 1.0},
        "confidence": 1.0,
        "evidence_refs": ["a"],
        "judged_at": STARTED,
    }
    assert record["verdict"] == {"status": "passed", "score": 1.0}
    assert record["verdict_source"] == "model:j1"


def test_each_decision_is_also_a_record_of_its_own(open_session: Open, bundle: Path) -> None:
    with open_session() as session:
        session.record_step(step(3))
        session.attach_verifier(3, status="passed", check="c")
        session.record_judge_decision(
            3, judge_id="j", judge_type="hybrid", verdict={"status": "passed"}
        )
        session.flush()
        found = journaled(bundle, "judge_decision")
    assert [(each["judge_id"], each["step_index"]) for each in found] == [("c", 3), ("j", 3)]


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("attach_verifier", {"status": "passed"}),
        ("set_score", {"score": 1.0}),
        ("set_step_costs", {"total_usd": 1.0}),
        ("set_step_costs", {}),
        ("set_step_versions", {"model": "m"}),
        ("attach_env_fingerprint", {"url_host": "h"}),
        (
            "record_judge_decision",
            {"judge_id": "j", "judge_type": "rule", "verdict": {"status": "passed"}},
        ),
        ("record_subgoal_completion", {"subgoal_id": "s", "completion": 1.0}),
        ("set_loop_detected", {}),
    ],
)
def test_patching_a_step_that_does_not_stand_is_a_value_error(
    open_session: Open, call: str, arguments: dict[str, Any]
) -> None:
    with open_session() as session:
        session.record_step(step(0))
        with pytest.raises(ValueError, match="no step stands at step_index 1"):
            getattr(session, call)(1, **arguments)
        for wrong in (-1, "0", None, True, 0.5):
            with pytest.raises(ValueError, match="step_index"):
                getattr(session, call)(wrong, **arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"judge_id": 7, "judge_type": "rule", "verdict": {"status": "passed"}},
        {"judge_id": "j", "judge_type": "oracle", "verdict": {"status": "passed"}},
        {"judge_id": "j", "judge_type": "rule", "verdict": "passed"},
    ],
)
def test_a_decision_that_cannot_be_understood_leaves_the_step_alone(
    open_session: Open, bundle: Path, arguments: dict[str, Any]
) -> None:
    with open_session() as session:
        session.record_step(step(0))
        with pytest.raises(ValueError, match="expected"):
            session.record_judge_decision(0, **arguments)
    assert read_json(bundle / "steps/0000.json") == step(0)


def test_the_callers_dicts_are_neither_mutated_nor_shared(open_session: Open, bundle: Path) -> None:
    verdict: dict[str, Any] = {"status": "passed", "score": 4}
    with open_session() as session:
        session.record_step(step(0))
        session.record_judge_decision(0, judge_id="j", judge_type="rule", verdict=verdict)
        assert verdict == {"status": "passed", "score": 4}
        verdict["reason"] = "later"
        session.set_loop_detected(0)
    assert "reason" not in read_json(bundle / "steps/0000.json")["verdict"]
