"""Validators accept exactly what the published schemas accept, and never quote a value."""

import enum
import functools
import json
import subprocess
import sys
from typing import Any

import augur_schema
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.models.strategies import broken_records, json_values, records

from augur_sdk.models.registry import DOCUMENTS, RECORDS, VOCABULARIES
from augur_sdk.models.validators import Problem, prepare, problems, problems_json

SHAPES = sorted([*RECORDS, *VOCABULARIES])

quick = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

STEP: dict[str, Any] = {
    "step_id": "s0",
    "step_index": 0,
    "step_type": "click",
    "status": "succeeded",
    "started_at": "2026-01-01T00:00:00Z",
}

SECRET = "hunter2-hunter2"


@functools.cache
def published(record: str) -> Any:
    return augur_schema.validator_for(record)


def same_judgement(record: str, value: Any) -> None:
    expected = published(record).is_valid(value)
    assert (problems(record, value) == []) is expected
    assert (problems_json(record, json.dumps(value).encode()) == []) is expected


@pytest.mark.parametrize("record", SHAPES)
def test_a_valid_record_passes_here_and_there(record: str) -> None:
    @quick
    @given(records(record))
    def check(value: Any) -> None:
        assert problems(record, value) == []
        same_judgement(record, value)

    check()


@pytest.mark.parametrize("record", SHAPES)
def test_a_mutated_record_is_judged_alike_here_and_there(record: str) -> None:
    @quick
    @given(broken_records(record))
    def check(value: Any) -> None:
        same_judgement(record, value)

    check()


@pytest.mark.parametrize("record", SHAPES)
@quick
@given(value=json_values())
def test_any_json_value_is_judged_alike_here_and_there(record: str, value: Any) -> None:
    same_judgement(record, value)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"step_index": True}, "step_index"),
        ({"step_index": "1"}, "step_index"),
        ({"step_index": 1.5}, "step_index"),
        ({"step_index": -1}, "step_index"),
        ({"step_index": None}, "step_index"),
        ({"duration_ms": -1}, "duration_ms"),
        ({"verdict": None}, "verdict"),
        ({"verdict": {"status": "passed", "score": 1.01}}, "verdict.score"),
        ({"verdict": {"status": "passed", "score": True}}, "verdict.score"),
        ({"verdict": {}}, "verdict.status"),
        ({"action": {"type": "click", "why": 1}}, "action.why"),
        ({"failure_class": ""}, "failure_class"),
        ({"sensitive": True}, "sensitive"),
        ({"judge_decisions": [{"judge_id": "a", "verdict": {"status": "passed"}}]},
         "judge_decisions.0.judge_type"),
    ],
)  # fmt: skip
def test_a_problem_names_its_place(changes: dict[str, Any], path: str) -> None:
    step = STEP | changes
    assert [problem.path for problem in problems("step_trace", step)] == [path]
    assert problems_json("step_trace", orjson.dumps(step)) == problems("step_trace", step)


@pytest.mark.parametrize(
    "changes",
    [
        {"step_index": 1.0},
        {"step_index": 2**80},
        {"duration_ms": None, "ended_at": None},
        {"started_at": "yesterday"},
        {"verdict": {"status": "passed", "score": 1}},
        {"action": {"type": "click", "params": {"": [None, {}]}}},
    ],
)
def test_what_json_schema_accepts_is_accepted(changes: dict[str, Any]) -> None:
    assert problems_json("step_trace", json.dumps(STEP | changes).encode()) == []


def test_a_string_enum_is_its_value() -> None:
    mode = enum.StrEnum("mode", {"TRACE": "trace"})
    assert problems("step_trace", STEP | {"capture_mode": mode.TRACE}) == []


@pytest.mark.parametrize("record", SHAPES)
def test_no_problem_quotes_the_record(record: str) -> None:
    """Whatever stands in a record may be a secret, the names of unknown keys included."""

    @quick
    @given(st.recursive(
        st.just(SECRET),
        lambda inner: st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from([SECRET, "verdict", "client", "request"]), inner),
        max_leaves=5,
    ))  # fmt: skip
    def check(value: Any) -> None:
        found = problems(record, value) + problems_json(record, orjson.dumps(value))
        assert SECRET not in "".join(map(str, found))

    check()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{}]",
        b"\xff",
        b'{"a":\xff}',
        b"nul",
        b"[1,]",
        b"{'a':1}",
        b"\xef\xbb\xbf{}",
        b"[",
    ],
)
def test_text_that_is_not_json_is_one_problem(raw: bytes) -> None:
    found = problems_json("step_trace", raw)
    assert len(found) == 1
    assert found[0].path == ""


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_constants_that_are_not_json_are_refused(constant: str) -> None:
    event = '{"ts":"t","layer":"model","kind":"metric","summary":"s","detail":{"x":%s}}'
    assert problems_json("decision_event", event % constant)
    assert problems_json("decision_event", event % f'"{constant}"') == []


def test_a_lone_surrogate_is_legal_in_json_text() -> None:
    event = {"ts": "t", "layer": "model", "kind": "info", "summary": "\ud800 half"}
    assert problems_json("decision_event", json.dumps(event).encode()) == []
    assert problems_json("decision_event", json.dumps(event | {"ts": 1}).encode()) == [
        Problem("ts", "expected a string")
    ]


def test_deep_nesting_is_judged_without_an_exception() -> None:
    event = '{"ts":"t","layer":"model","kind":"info","summary":"s","detail":{"x":%s}}'
    assert problems_json("decision_event", event % ("[" * 400 + "]" * 400)) == []
    assert problems_json("decision_event", event % ("[" * 100_000 + "]" * 100_000))


def test_an_unknown_record_is_named_in_the_error() -> None:
    with pytest.raises(KeyError, match="no record is called 'steps'"):
        problems("steps", {})


def test_documents_have_validators_too() -> None:
    prepare(*DOCUMENTS)
    outcome = {"scope": "session", "finalized_at": "t"}
    assert problems("outcomes", {"outcomes": [outcome]}) == []
    assert problems("run_reasoning", {"format": "adapter_inferred"}) == []
    assert problems("reasoning_trace", {"format": "adapter_inferred"}) == [
        Problem("step_index", "is required and absent")
    ]


def test_checking_one_record_compiles_one_validator_and_spares_the_heavy_imports() -> None:
    """A recording process checks steps; it pays for the step's validator alone."""
    script = """
import sys
from augur_sdk.models import validators
assert "pydantic_core" not in sys.modules
validators.problems("subgoal", {})
assert validators._validator.cache_info().currsize == 1
assert "pydantic" not in sys.modules and "jsonschema" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)
