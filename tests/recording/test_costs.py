from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from both_classes import Open
from scenarios import read_json, step

from augur_sdk.recording.costs import CostRollup


def test_run_costs_merge_and_stand_on_session_and_manifest(
    open_session: Open, bundle: Path
) -> None:
    with open_session() as session:
        session.set_costs(total_usd=1.0, tokens_in=10)
        session.set_costs(total_usd=2.5, gpu_usd=0.5)
        manifest = session.close()
    costs = {"total_usd": 2.5, "tokens_in": 10, "gpu_usd": 0.5}
    assert manifest["costs"] == costs
    assert read_json(bundle / "manifest.json")["costs"] == costs
    assert read_json(bundle / "trace.json")["session"]["costs"] == costs


def test_a_run_without_costs_has_no_costs(open_session: Open, bundle: Path) -> None:
    with open_session() as session:
        session.set_costs()
        assert session.successful_task_cost_summary() is None
    assert "costs" not in read_json(bundle / "manifest.json")
    assert "costs" not in read_json(bundle / "trace.json")["session"]


def test_step_costs_merge(open_session: Open, bundle: Path) -> None:
    with open_session() as session:
        session.record_step(step(0, costs={"gpu_usd": 0.25, "total_usd": 9.0}))
        session.set_step_costs(0, total_usd=1.0, tokens_in=7)
        session.set_step_costs(0, tokens_out=3, cache_hit_tokens=1, model_usd=0.5)
    assert read_json(bundle / "steps/0000.json")["costs"] == {
        "gpu_usd": 0.25,
        "total_usd": 1.0,
        "tokens_in": 7,
        "tokens_out": 3,
        "cache_hit_tokens": 1,
        "model_usd": 0.5,
    }


@pytest.mark.parametrize(
    "wrong",
    ["3", True, float("nan"), float("inf"), pytest.param(object(), id="an object"), [1], b"1"],
    ids=repr,
)
def test_a_cost_that_is_no_number_is_a_value_error(open_session: Open, wrong: Any) -> None:
    with open_session() as session:
        session.record_step(step(0))
        with pytest.raises(ValueError, match="total_usd"):
            session.set_costs(total_usd=wrong)
        with pytest.raises(ValueError, match="tokens_in"):
            session.set_step_costs(0, tokens_in=wrong)
        assert session.successful_task_cost_summary() is None


def test_the_summary_adds_up_the_steps_and_what_was_set_for_the_run_wins(
    open_session: Open,
) -> None:
    with open_session() as session:
        for index in range(10):
            session.record_step(step(index, costs={"total_usd": 0.1, "tokens_in": 5}))
        assert session.successful_task_cost_summary() == {"total_usd": 1.0, "tokens_in": 50}
        session.set_costs(total_usd=3.0, proxy_usd=0.5)
        summary = session.successful_task_cost_summary()
    assert summary == {"total_usd": 3.0, "tokens_in": 50, "proxy_usd": 0.5}


def test_a_step_recorded_anew_counts_once_and_an_iteration_counts_too(
    open_session: Open,
) -> None:
    with open_session() as session:
        session.record_step(step(0, status="running", costs={"total_usd": 1.0}))
        session.record_step(step(0, costs={"total_usd": 2.0}))
        session.record_step_iteration(0, step(0, step_id="again", costs={"total_usd": 4.0}))
        assert session.successful_task_cost_summary() == {"total_usd": 6.0}
        session.set_step_costs(0, total_usd=0.5)
        assert session.successful_task_cost_summary() == {"total_usd": 4.5}


def test_the_rollup_takes_only_numbers() -> None:
    rollup = CostRollup()
    rollup.put(0, {"total_usd": "1", "tokens_in": True, "gpu_usd": None})
    rollup.put(1, "junk")
    rollup.put(2, None)
    assert rollup.total() == {}
    rollup.put(3, {"total_usd": 0.25, "somewhere_else": 3})
    rollup.put(3, {"total_usd": 0.5})
    assert rollup.total() == {"total_usd": 0.5}
    rollup.put(3, {})
    assert rollup.total() == {}


def test_a_cost_beyond_every_float_costs_nothing_and_raises_nothing(open_session: Open) -> None:
    with open_session() as session:
        session.record_step({**step(0), "costs": {"total_usd": 10**400, "model_usd": 1.5}})
        session.record_step({**step(1), "costs": {"total_usd": 2, "model_usd": float("nan")}})
        session.set_status("succeeded")
        summary = session.successful_task_cost_summary()
    assert summary is not None
    assert (summary["total_usd"], summary["model_usd"]) == (2, 1.5)
