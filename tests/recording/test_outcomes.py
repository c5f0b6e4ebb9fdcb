from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from both_classes import Open
from scenarios import read_json, step

from augur_sdk import DebugSession
from augur_sdk.models.validators import problems


def test_a_tag_is_kept_and_the_latest_of_a_step_counts(open_session: Open, bundle: Path) -> None:
    with open_session() as session:
        session.mark_for_eval(3, "odd", candidate_cluster_id="c")
        session.mark_for_eval(1, "slow")
        session.mark_for_eval(3, "very odd", candidate_cluster_id="d")
    candidates = read_json(bundle / "eval_candidates.json")["candidates"]
    assert [(c["step_index"], c["reason"]) for c in candidates] == [(3, "very odd"), (1, "slow")]
    assert candidates[0]["candidate_cluster_id"] == "d"
    assert all(problems("eval_candidate", candidate) == [] for candidate in candidates)


def test_without_tags_and_outcomes_there_are_no_files_for_them(
    open_session: Open, bundle: Path
) -> None:
    with open_session() as session:
        session.record_step(step(0))
    assert not (bundle / "eval_candidates.json").exists()
    assert not (bundle / "outcomes.json").exists()


def test_a_steps_outcome_takes_the_steps_verdict_and_costs(
    open_session: Open, bundle: Path
) -> None:
    verdict = {"status": "passed", "reason": "seen", "score": 1.0, "comparator": "human"}
    with open_session() as session:
        session.record_step(step(2, verdict=verdict, costs={"total_usd": 0.5}))
        record = session.finalize_outcome(scope="step", step_index=2, task_class="web.search")
    finalized = record.pop("finalized_at")
    assert finalized.endswith("Z")
    assert record == {
        "scope": "step",
        "step_index": 2,
        "task_class": "web.search",
        "verdict": {"status": "passed", "reason": "seen", "score": 1.0},
        "cost_summary": {"total_usd": 0.5},
    }
    (stored,) = read_json(bundle / "outcomes.json")["outcomes"]
    assert stored == {**record, "finalized_at": finalized}


def test_what_is_given_wins_over_what_the_step_says(open_session: Open) -> None:
    with open_session() as session:
        session.record_step(step(0, costs={"total_usd": 0.5}))
        record = session.finalize_outcome(
            scope="step",
            step_index=0,
            verdict={"status": "failed", "score": -3},
            cost_summary={"total_usd": 9, "tokens_in": 1},
        )
    assert record["verdict"] == {"status": "failed", "score": 0.0}
    assert record["cost_summary"] == {"total_usd": 9, "tokens_in": 1}


def test_the_sessions_outcome_sums_up_and_the_latest_of_each_counts(
    open_session: Open, bundle: Path
) -> None:
    with open_session() as session:
        for index in range(3):
            session.record_step(step(index, costs={"total_usd": 0.5, "tokens_in": 4}))
            session.finalize_outcome(scope="step", step_index=index)
        session.finalize_outcome()
        session.set_costs(total_usd=2.0)
        record = session.finalize_outcome(verdict={"status": "passed"})
        assert record["cost_summary"] == session.successful_task_cost_summary()
    outcomes = read_json(bundle / "outcomes.json")["outcomes"]
    assert [(o["scope"], o.get("step_index")) for o in outcomes] == [
        ("step", 0),
        ("step", 1),
        ("step", 2),
        ("session", None),
    ]
    assert outcomes[3]["cost_summary"] == {"total_usd": 2.0, "tokens_in": 12}
    assert all(problems("outcome_record", outcome) == [] for outcome in outcomes)


@pytest.mark.parametrize(
    "arguments",
    [
        {"scope": "step"},
        {"scope": "step", "step_index": 5},
        {"scope": "universe"},
        {"verdict": {"status": 7}},
        {"verdict": "passed"},
        {"cost_summary": {"total_usd": "much"}},
        {"task_class": 3},
    ],
    ids=repr,
)
def test_an_outcome_that_cannot_be_understood_is_a_value_error(
    open_session: Open, bundle: Path, arguments: dict[str, Any]
) -> None:
    with open_session() as session:
        session.record_step(step(0))
        with pytest.raises(ValueError, match=r"step|expected"):
            session.finalize_outcome(**arguments)
    assert not (bundle / "outcomes.json").exists()


def test_a_long_list_is_whole_at_the_end(tmp_path: Path) -> None:
    with DebugSession(
        run_id="r", client_name="c", out_dir=tmp_path / "b", capture_mode="full"
    ) as session:
        for index in range(600):
            session.record_step(step(index))
            session.finalize_outcome(scope="step", step_index=index)
            if index % 50 == 0:
                session.flush()
        session.finalize_outcome(scope="step", step_index=0, task_class="latest")
    outcomes = read_json(tmp_path / "b/outcomes.json")["outcomes"]
    assert [outcome["step_index"] for outcome in outcomes] == list(range(600))
    assert outcomes[0]["task_class"] == "latest"
