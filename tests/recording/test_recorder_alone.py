from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenarios import step
from unplugged import Tray, recorder

from augur_sdk import CaptureMode
from augur_sdk.entry import Entry, Kind
from augur_sdk.errors import RecordError
from augur_sdk.recording.names import FileNames
from augur_sdk.recording.recorder import Recorder
from augur_sdk.recording.settling import settled, settles
from augur_sdk.recording.table import HOT_STEPS, ColdStepError


def latest(tray: Tray, index: int) -> Entry:
    return next(e for e in reversed(tray.entries) if e.kind is Kind.STEP and e.step_index == index)


def cold_run() -> tuple[Tray, Recorder]:
    """A run whose first step left memory."""
    tray = Tray()
    run = recorder(tray)
    for index in range(HOT_STEPS + 1):
        run.record_step(step(index))
        tray.store_all()
    return tray, run


def test_a_patch_of_a_cold_step_changes_nothing_before_it_asks_for_the_record() -> None:
    tray, run = cold_run()
    before = (len(tray.entries), run.accepted)
    with pytest.raises(ColdStepError) as cold:
        run.set_score(0, 1)
    assert (len(tray.entries), run.accepted) == before
    run.warm(0, cold.value.seq, latest(tray, 0).body)
    run.set_score(0, 1)
    assert tray.bodies(Kind.STEP)[-1]["verdict"] == {"status": "passed", "score": 1.0}


def test_a_record_read_back_too_late_does_not_undo_what_was_patched_meanwhile() -> None:
    tray, run = cold_run()
    with pytest.raises(ColdStepError) as cold:
        run.set_loop_detected(0)
    seq, out_of_date = cold.value.seq, latest(tray, 0).body
    run.warm(0, seq, out_of_date)
    run.set_step_costs(0, total_usd=1.0)
    run.warm(0, seq, out_of_date)
    run.set_loop_detected(0)
    record = tray.bodies(Kind.STEP)[-1]
    assert (record["costs"], record["loop_detected"]) == ({"total_usd": 1.0}, True)


def test_an_out_of_date_record_is_not_taken_even_when_the_step_is_cold_again() -> None:
    tray, run = cold_run()
    with pytest.raises(ColdStepError) as cold:
        run.set_loop_detected(0)
    seq, out_of_date = cold.value.seq, latest(tray, 0).body
    run.warm(0, seq, out_of_date)
    run.set_step_costs(0, total_usd=1.0)
    tray.store_all()
    for index in range(HOT_STEPS + 1, 2 * HOT_STEPS + 2):
        run.record_step(step(index))
        tray.store_all()
    run.warm(0, seq, out_of_date)
    with pytest.raises(ColdStepError):
        run.set_loop_detected(0)


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("finalize_outcome", {"scope": "step", "step_index": 0}),
        (
            "record_modelio",
            {
                "record": {
                    "layer": "judge",
                    "request": {"model": "m"},
                    "response": {},
                    "prompt_hash": "h",
                },
                "step_index": 0,
            },
        ),
        ("record_subgoal_completion", {"step_index": 0, "subgoal_id": "s", "completion": 1}),
        ("record_step_iteration", {"step_id_or_index": 0, "iteration": step(0, step_id="x")}),
        (
            "record_judge_decision",
            {
                "step_index": 0,
                "judge_id": "j",
                "judge_type": "rule",
                "verdict": {"status": "failed"},
            },
        ),
    ],
)
def test_a_call_that_had_to_read_first_leaves_what_it_would_have_left_at_once(
    call: str, arguments: dict[str, Any]
) -> None:
    tray, run = cold_run()
    mark = len(tray.entries)
    with pytest.raises(ColdStepError) as cold:
        getattr(run, call)(**arguments)
    assert len(tray.entries) == mark
    run.warm(0, cold.value.seq, latest(tray, 0).body)
    getattr(run, call)(**arguments)
    hot_tray = Tray()
    hot = recorder(hot_tray)
    hot.record_step(step(0))
    hot_mark = len(hot_tray.entries)
    getattr(hot, call)(**arguments)
    assert [(e.kind, e.path, e.item, e.body) for e in tray.entries[mark:]] == [
        (e.kind, e.path, e.item, e.body) for e in hot_tray.entries[hot_mark:]
    ]


def test_a_strict_session_refuses_a_patch_that_breaks_the_schema_and_keeps_the_step() -> None:
    tray = Tray()
    run = recorder(tray, strict=True)
    run.record_step(step(0))
    with pytest.raises(RecordError, match="schema"):
        run.set_step_costs(0, total_usd=-1)
    with pytest.raises(RecordError, match="schema"):
        run.finalize_outcome(cost_summary={"total_usd": -1})
    with pytest.raises(RecordError, match="schema"):
        run.set_costs(total_usd=-1)
    made = run.declare_side_effect(0, "r", "a")
    with pytest.raises(RecordError, match="schema"):
        run.commit_side_effect(made, ["a", "list"])
    run.commit_side_effect(made, {"a": "dict"})
    run.set_loop_detected(0)
    assert "costs" not in tray.bodies(Kind.STEP)[-1]
    assert run.successful_task_cost_summary() is None
    with pytest.raises(RecordError, match="schema"):
        recorder(Tray(), strict=True, task_spec={"instruction": "x", "mood": "y"})


def test_generated_effect_ids_are_the_same_for_the_same_calls() -> None:
    made = []
    for _ in range(2):
        run = recorder(Tray())
        made.append([run.declare_side_effect(0, "r", "a") for _ in range(3)])
    assert made[0] == made[1]
    assert len(set(made[0])) == 3


def test_ids_differ_even_where_nothing_is_kept() -> None:
    run = recorder(Tray(), capture_mode=CaptureMode.OFF)
    assert run.declare_side_effect(0, "r", "a") != run.declare_side_effect(0, "r", "a")


def test_settled_marks_a_method() -> None:
    @settled
    def marked() -> None: ...

    assert settles(marked)
    assert settles(Recorder.declare_side_effect)
    assert not settles(Recorder.record_step)


@given(st.lists(st.text(max_size=20), unique=True, max_size=30))
def test_no_two_ids_share_a_name_on_any_file_system(ids: list[str]) -> None:
    names = FileNames(lambda text: text.replace("secret", "***"))
    given = [names.name(raw) for raw in ids]
    assert len({name.casefold() for name in given}) == len(ids)
    assert [names.name(raw) for raw in ids] == given
    assert all(names.knows(raw) for raw in ids)


def test_ids_that_redaction_makes_equal_keep_names_of_their_own() -> None:
    names = FileNames(lambda _: "***REDACTED:api_key***")
    assert len({names.name(str(number)).casefold() for number in range(20)}) == 20


def test_logs_are_handed_on_when_there_is_a_server() -> None:
    tray = Tray()
    run = recorder(tray, streaming=True)
    run.append_log("one\n")
    run.append_log("two\n", name="../x")
    run.append_log("three\n", step_index=7)
    found = [(e.path, e.step_index) for e in tray.entries if e.kind is Kind.LOG]
    assert found[0] == ("logs/run.log", None)
    assert found[1][0].startswith("logs/x-")
    assert found[2] == ("logs/step-0007.log", 7)
    assert tray.bodies(Kind.LOG)[2] == {"text": "three\n", "name": "run", "step_index": 7}
    with pytest.raises(ValueError, match="log text"):
        run.append_log(b"bytes")  # type: ignore[arg-type]  # the subject of the test
