"""The door lets records out redacted, sorted and whole, whatever the policy does."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augur_sdk.redaction import DefaultRedactionPolicy, RedactionDoor, RedactionPolicy

ERROR = "***REDACTED:error***"
STEP = {
    "step_id": "s-0003",
    "step_index": 3,
    "status": "succeeded",
    "started_at": "2026-01-01T00:00:00Z",
    "intent": "Mail bob@shop.example",
    "action": {"type": "click", "params": {"x": 1, "y": 2}, "coordinate_space": "device_px"},
    "observation_pre": "screenshots/0003_pre.png",
    "verdict": {"status": "passed", "score": 1.0, "reason": "done"},
}


def through(policy: RedactionPolicy, value: Any, kind: str = "step") -> tuple[Any, RedactionDoor]:
    door = RedactionDoor(policy)
    return orjson.loads(door.record(kind, orjson.dumps(value))), door


def raising(*_: Any) -> Any:
    raise ValueError("hunter2")


def test_a_clean_record_comes_out_sorted_and_equal() -> None:
    door = RedactionDoor(DefaultRedactionPolicy())
    clean = {**STEP, "intent": "Open the page"}
    out = door.record("step", orjson.dumps(clean))
    assert out == orjson.dumps(clean, option=orjson.OPT_SORT_KEYS)
    assert door.failures == 0
    assert door.counts == {}


def test_a_record_is_redacted_and_counted_by_rule_and_place() -> None:
    door = RedactionDoor(DefaultRedactionPolicy())
    raw = orjson.dumps({**STEP, "token": "abc"})
    out = door.record("step", raw, place="steps/0003.json")
    assert orjson.loads(out) == {
        **STEP,
        "intent": "Mail ***REDACTED:email***",
        "token": "***REDACTED:mask***",
    }
    assert door.counts == {"email": 1, "mask": 1}
    assert door.report()["files"] == {"steps/0003.json": {"email": 1, "mask": 1}}
    assert door.record("step", out) == out
    assert door.counts == {"email": 1, "mask": 1}


def test_the_structure_of_a_record_survives_its_own_words() -> None:
    value = {
        **STEP,
        "costs": {"tokens_in": 12, "tokens_out": 3, "cache_hit_tokens": 1, "total_usd": 0.1},
        "response": {"usage": {"prompt_tokens": 5}, "logprobs": [{"token": "a", "logprob": -1}]},
        "env_fingerprint": {"viewport_hash": "ab" * 32},
        "idempotency_key": "order-1",
        "intent": "mail bob@shop.example",
    }
    redacted, _ = through(DefaultRedactionPolicy(), value)
    assert redacted == {**value, "intent": "mail ***REDACTED:email***"}


def test_a_policy_that_raises_costs_fields_not_the_record() -> None:
    class Broken(DefaultRedactionPolicy):
        def apply(self, value: Any, *, key: str | None = None) -> Any:  # noqa: ARG002 - given
            raise ValueError("hunter2")

    redacted, door = through(Broken(), STEP)
    for key in ("step_index", "status", "started_at"):
        assert redacted[key] == STEP[key]
    assert redacted["intent"] == ERROR
    assert redacted["action"]["type"] == ERROR
    assert door.failures > 0


def test_a_policy_that_fails_on_one_field_hides_that_field() -> None:
    class Picky(DefaultRedactionPolicy):
        def apply(self, value: Any, *, key: str | None = None) -> Any:
            if value == STEP or key == "intent":
                raise ValueError("hunter2")
            return super().apply(value, key=key)

    redacted, door = through(Picky(), STEP)
    assert redacted == {**STEP, "intent": ERROR}
    assert door.failures == 1


@pytest.mark.parametrize("junk", [None, 7, object(), {1, 2}, {"a": object()}, b"x"])
def test_a_policy_that_returns_junk_costs_fields_not_the_record(junk: Any) -> None:
    class Junk(DefaultRedactionPolicy):
        def apply(self, value: Any, *, key: str | None = None) -> Any:  # noqa: ARG002 - given
            return junk

    redacted, door = through(Junk(), STEP)
    assert redacted["step_index"] == 3
    assert redacted["status"] == "succeeded"
    assert "bob@" not in str(redacted)
    assert isinstance(door.text("bob@shop.example and more"), str)
    assert "bob@" not in door.text("bob@shop.example and more")


def test_a_redactor_that_raises_keeps_ids_apart_and_choices_as_they_are() -> None:
    policy = DefaultRedactionPolicy()
    policy.add_redactor(raising)
    door = RedactionDoor(policy)
    first = orjson.loads(door.record("step", orjson.dumps(STEP)))
    second = orjson.loads(door.record("step", orjson.dumps({**STEP, "step_id": "s-0004"})))
    again = orjson.loads(door.record("step", orjson.dumps(STEP)))
    assert first["step_id"] == again["step_id"] != second["step_id"]
    assert first["step_id"].startswith(ERROR)
    assert "s-0003" not in str(first)
    assert first["step_id"] == door.text("s-0003"), "a record and its item agree"
    assert first["intent"] == ERROR
    assert first["status"] == "succeeded"
    assert first["observation_pre"] == "screenshots/0003_pre.png"
    assert door.failures >= 8


def test_a_dropper_cannot_take_what_a_record_is_filed_by() -> None:
    policy = DefaultRedactionPolicy()
    policy.add_dropper(lambda _key, _value: True)
    redacted, _ = through(policy, STEP)
    assert redacted["step_index"] == 3
    assert redacted["status"] == "succeeded"
    assert "intent" not in redacted


def test_a_users_redactor_reaches_ids_and_file_names() -> None:
    policy = DefaultRedactionPolicy()
    policy.add_redactor(lambda text: text.replace("ACME", "x"))
    redacted, door = through(policy, {**STEP, "step_id": "ACME-1"})
    assert redacted["step_id"] == "x-1"
    assert door.text("logs/ACME.log") == "logs/x.log"


def test_reasoning_passes_its_own_redactors() -> None:
    policy = DefaultRedactionPolicy()
    policy.add_reasoning_redactor(lambda text: text.replace("plan", "x"))
    trace = {"step_index": 1, "text": "plan", "model": "plan", "format": "adapter_inferred"}
    assert through(policy, trace, "reasoning")[0] == {**trace, "text": "x"}
    assert through(policy, trace, "event")[0] == trace
    policy.add_reasoning_redactor(raising)
    assert through(policy, trace, "reasoning")[0] == {**trace, "text": ERROR}


def test_a_redactor_that_joins_a_registered_secret_does_not_let_it_out() -> None:
    policy = DefaultRedactionPolicy()
    policy.add_redactor(lambda text: text.replace("-", ""))
    door = RedactionDoor(policy)
    door.secrets.register("hunter2")
    assert b"hunter2" not in door.record("event", b'{"a":"hunt~er2 hun-ter-2"}'.replace(b"~", b"-"))
    assert "hunter2" not in door.text("hun-ter-2")


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b'{"password":"hunter2"', b"nul"])
def test_what_is_no_json_is_hidden_not_passed(raw: bytes, caplog: pytest.LogCaptureFixture) -> None:
    door = RedactionDoor(DefaultRedactionPolicy())
    assert orjson.loads(door.record("event", raw)) == {"redaction": ERROR}
    assert door.failures == 1
    assert "hunter2" not in caplog.text


def test_texts_are_redacted_and_never_raise() -> None:
    door = RedactionDoor(DefaultRedactionPolicy())
    assert door.text("ValueError: bob@shop.example") == "ValueError: ***REDACTED:email***"
    assert door.text("logs/runner.log") == "logs/runner.log"
    assert door.text("lone \ud800 and bob@shop.example") == "lone \ud800 and ***REDACTED:email***"


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*STEP, "password", "token", "x"]),
        st.text(max_size=20)
        | st.integers(-(2**53), 2**53)
        | st.none()
        | st.lists(st.text(max_size=5)),
    ),
    st.sampled_from([None, "raise", "upper", "drop"]),
)
def test_any_record_through_any_policy_comes_out_as_json(value: Any, mood: str | None) -> None:
    policy = DefaultRedactionPolicy()
    if mood == "raise":
        policy.add_redactor(raising)
    elif mood == "upper":
        policy.add_redactor(str.upper)
    elif mood == "drop":
        policy.add_dropper(raising)
    door = RedactionDoor(policy)
    try:
        raw = orjson.dumps(value)
    except orjson.JSONEncodeError:
        return
    once = door.record("step", raw)
    assert isinstance(orjson.loads(once), dict)
    if mood is None:
        assert door.record("step", once) == once
