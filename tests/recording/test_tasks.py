from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from both_classes import Open
from scenarios import read_json, step

SPEC: dict[str, Any] = {
    "instruction": "book a table",
    "task_class": "web.booking",
    "subgoals": [
        {"subgoal_id": "a", "description": "find it"},
        {"subgoal_id": "b", "description": "book it", "parent_subgoal_id": "a"},
    ],
}
WRONG: list[Any] = [
    {},
    {"instruction": ""},
    {"instruction": None},
    {"instruction": "x", "subgoals": [{"description": "no id"}]},
    {"instruction": "x", "subgoals": [{"subgoal_id": ""}]},
    {"instruction": "x", "subgoals": [{"subgoal_id": "a"}, {"subgoal_id": "a"}]},
    {"instruction": "x", "subgoals": "a"},
    {"instruction": "x", "subgoals": [3]},
    "book a table",
]


def session_of(bundle: Path) -> Any:
    return read_json(bundle / "trace.json")["session"]


def test_a_task_given_at_the_start_stands_on_the_session(open_session: Open, bundle: Path) -> None:
    with open_session(task_spec=SPEC, task_spec_id="t1"):
        pass
    assert session_of(bundle)["task_spec"] == SPEC
    assert session_of(bundle)["task_spec_id"] == "t1"


def test_a_task_can_be_said_later_and_taken_back(open_session: Open, bundle: Path) -> None:
    with open_session() as session:
        session.set_task_spec(SPEC)
        session.set_task_spec_id("t1")
        session.set_task_spec_id("t2")
        session.set_task_spec(None)
    assert session_of(bundle)["task_spec"] is None
    assert session_of(bundle)["task_spec_id"] == "t2"


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_a_task_without_an_instruction_or_with_ambiguous_subgoals_is_refused_at_once(
    open_session: Open, wrong: Any
) -> None:
    with pytest.raises(ValueError, match=r"task spec|subgoal"):
        open_session(task_spec=wrong)
    with open_session() as session, pytest.raises(ValueError, match=r"task spec|subgoal"):
        session.set_task_spec(wrong)


def test_the_callers_task_is_not_shared(open_session: Open, bundle: Path) -> None:
    spec = {"instruction": "one", "subgoals": [{"subgoal_id": "a", "description": "x"}]}
    with open_session(task_spec=spec) as session:
        spec["instruction"] = "another"
        spec["subgoals"].clear()  # type: ignore[attr-defined]  # a list, as made above
        session.add_tag("k", "v")
    assert session_of(bundle)["task_spec"]["instruction"] == "one"
    assert len(session_of(bundle)["task_spec"]["subgoals"]) == 1


def test_a_group_ties_later_steps_and_a_steps_own_wins(open_session: Open, bundle: Path) -> None:
    with open_session(group_id="g0") as session:
        session.record_step(step(0))
        session.record_step(step(1, group_id="own"))
        session.set_group_id("g1")
        session.record_step(step(2))
        session.record_step_iteration(0, step(0, step_id="again"))
        session.set_group_id(None)
        session.record_step(step(3))
        with pytest.raises(ValueError, match="group_id"):
            session.set_group_id(7)
    steps = read_json(bundle / "trace.json")["steps"]
    assert [record.get("group_id") for record in steps] == ["g0", "own", "g1", None]


def test_a_session_without_these_has_none_of_them(open_session: Open, bundle: Path) -> None:
    with open_session() as session:
        session.record_step(step(0))
        assert session.branch_mode is None
        assert session.is_orchestrator is False
        assert session.capture_logprobs is False
    assert not {"task_spec", "task_spec_id", "branch_context", "costs"} & session_of(bundle).keys()
    assert read_json(bundle / "steps/0000.json") == step(0)
