"""Whole imports of Responses API logs: the bundle, its steps, pictures and model calls."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from openai.types.responses import ResponseUsage
from openai.types.responses.computer_action import Click, Screenshot, Type, Wait
from openai.types.responses.response_usage import InputTokensDetails, OutputTokensDetails

from augur_sdk.adapters import OpenAIComputerUseAdapter


def read(bundle: Path, name: str) -> Any:
    return json.loads((bundle / name).read_text())


def usage(tokens_in: int, tokens_out: int, cached: int = 0) -> ResponseUsage:
    return ResponseUsage(
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        total_tokens=tokens_in + tokens_out,
        input_tokens_details=InputTokensDetails(cached_tokens=cached, cache_write_tokens=0),
        output_tokens_details=OutputTokensDetails(reasoning_tokens=3),
    )


def logged_run(gpt: Any, picture: Callable[[int], bytes]) -> list[dict[str, Any]]:
    """Three turns: one look, a batch of three actions, the last word."""
    gpt.user("Save the file.")
    gpt.response(Screenshot(type="screenshot"), call_id="c1", usage=usage(10, 2), created_at=1.76e9)
    gpt.output("c1", picture(1))
    gpt.response(
        Click(type="click", button="left", x=12, y=14),
        Type(type="type", text="notes"),
        Wait(type="wait"),
        call_id="c2",
        text="I click the name field and type.",
        summary="The field is empty.",
        usage=usage(800, 40, cached=700),
        created_at=1.76e9 + 5,
    )
    gpt.output("c2", picture(2))
    gpt.response(text="Saved.", usage=usage(900, 4), created_at=1.76e9 + 9)
    return list(gpt.messages)


def test_each_action_is_a_step_with_its_turns_intent_and_aim(
    gpt: Any, picture: Callable[[int], bytes], write_json: Callable[..., Path], tmp_path: Path
) -> None:
    log = write_json(logged_run(gpt, picture), name="run-7.json", task="Save the file.")
    bundle = OpenAIComputerUseAdapter().bundle_from_input(log, tmp_path / "out")
    trace = read(bundle, "trace.json")
    steps = trace["steps"]
    assert trace["session"]["run_id"] == "run-7"
    assert trace["session"]["task_spec"]["instruction"] == "Save the file."
    assert [s["action"]["type"] for s in steps] == ["screenshot", "click", "type", "wait"]
    assert [s["step_index"] for s in steps] == [0, 1, 2, 3]
    assert {s["status"] for s in steps} == {"succeeded"}
    assert steps[1]["verdict"] == {"status": "unknown", "reason": "no native verifier"}
    assert "intent" not in steps[0]
    assert {s["intent"] for s in steps[1:]} == {"I click the name field and type."}
    assert steps[1]["action"] == {
        "type": "click",
        "params": {"button": "left", "x": 12, "y": 14},
        "coordinate_space": "screenshot_px",
    }
    assert steps[1]["grounding"] == {
        "provider": "openai",
        "provenance": "screenshot",
        "coordinates": {"x": 12, "y": 14},
    }
    assert "grounding" not in steps[2]


def test_screenshots_stand_before_the_first_and_after_the_last_action_of_a_call(
    gpt: Any, picture: Callable[[int], bytes], write_json: Callable[..., Path], tmp_path: Path
) -> None:
    log = write_json(logged_run(gpt, picture))
    bundle = OpenAIComputerUseAdapter().bundle_from_input(log, tmp_path / "out")
    steps = read(bundle, "trace.json")["steps"]
    pictures = [(s.get("observation_pre"), s.get("observation_post")) for s in steps]
    assert pictures == [
        (None, "screenshots/0000_post.png"),
        ("screenshots/0001_pre.png", None),
        (None, None),
        (None, "screenshots/0003_post.png"),
    ]
    assert (bundle / "screenshots/0001_pre.png").read_bytes() == picture(1)
    assert (bundle / "screenshots/0003_post.png").read_bytes() == picture(2)


def test_times_are_those_of_the_log(
    gpt: Any, picture: Callable[[int], bytes], write_json: Callable[..., Path], tmp_path: Path
) -> None:
    log = write_json(logged_run(gpt, picture))
    bundle = OpenAIComputerUseAdapter().bundle_from_input(log, tmp_path / "out")
    steps = read(bundle, "trace.json")["steps"]
    assert [s["started_at"][11:19] for s in steps] == ["08:53:20", *["08:53:25"] * 3]


def test_tokens_count_once_a_response_and_add_up(
    gpt: Any, picture: Callable[[int], bytes], write_json: Callable[..., Path], tmp_path: Path
) -> None:
    log = write_json(logged_run(gpt, picture))
    bundle = OpenAIComputerUseAdapter().bundle_from_input(log, tmp_path / "out")
    trace = read(bundle, "trace.json")
    assert [s.get("costs") for s in trace["steps"]] == [
        {"tokens_in": 10, "tokens_out": 2, "cache_hit_tokens": 0},
        {"tokens_in": 800, "tokens_out": 40, "cache_hit_tokens": 700},
        None,
        None,
    ]
    costs = {"tokens_in": 1710, "tokens_out": 46, "cache_hit_tokens": 700}
    assert trace["session"]["costs"] == costs
    assert read(bundle, "manifest.json")["costs"] == costs


def test_each_response_is_a_model_call_with_what_was_new(
    gpt: Any, picture: Callable[[int], bytes], write_json: Callable[..., Path], tmp_path: Path
) -> None:
    log = write_json(logged_run(gpt, picture), model="asked-for")
    bundle = OpenAIComputerUseAdapter().bundle_from_input(log, tmp_path / "out")
    calls = [json.loads(p.read_text()) for p in sorted((bundle / "modelio").iterdir())]
    assert [c.get("step_index") for c in calls] == [0, 1, None]
    assert calls[0]["request"]["messages"][0]["content"][0]["text"] == "Save the file."
    answered = calls[1]["request"]["messages"]
    assert [m["content"][0]["call_id"] for m in answered] == ["c1"]
    assert "picture: sha256 " in answered[0]["content"][0]["output"]["image_url"]
    response = calls[1]["response"]
    assert response["text"] == "I click the name field and type."
    assert [call["type"] for call in response["tool_calls"]] == ["computer_call"]
    assert response["usage"]["prompt_tokens"] == 800
    assert "logprobs" not in response
    assert len({c["prompt_hash"] for c in calls}) == 3
    assert {c["request"]["model"] for c in calls} == {"gpt-5.5"}


def test_reasoning_belongs_to_the_turns_first_step(
    gpt: Any, picture: Callable[[int], bytes], write_json: Callable[..., Path], tmp_path: Path
) -> None:
    log = write_json(logged_run(gpt, picture))
    bundle = OpenAIComputerUseAdapter().bundle_from_input(log, tmp_path / "out")
    (line,) = (bundle / "events/reasoning.jsonl").read_text().splitlines()
    trace = json.loads(line)
    assert (trace["step_index"], trace["text"]) == (1, "The field is empty.")
    assert (trace["format"], trace["tokens"]) == ("openai_reasoning_summary", 3)


def test_each_step_has_its_decision_as_evidence(
    gpt: Any, picture: Callable[[int], bytes], write_json: Callable[..., Path], tmp_path: Path
) -> None:
    log = write_json(logged_run(gpt, picture))
    bundle = OpenAIComputerUseAdapter().bundle_from_input(log, tmp_path / "out")
    (line,) = (bundle / "events/0001.jsonl").read_text().splitlines()
    event = json.loads(line)
    assert event["summary"] == "click at (12, 14)"
    assert event["detail"] == {"turn_index": 3, "tool_call_index": 0, "call_id": "c2"}
    (typed,) = (bundle / "events/0002.jsonl").read_text().splitlines()
    assert "notes" not in typed


def test_a_screenshot_behind_an_address_is_reported_missing(
    gpt: Any, write_json: Callable[..., Path], tmp_path: Path
) -> None:
    import pytest

    gpt.response(Wait(type="wait"), call_id="c1")
    gpt.output("c1", None)
    adapter = OpenAIComputerUseAdapter()
    with pytest.warns(UserWarning, match="1 screenshots not in the log"):
        bundle = adapter.bundle_from_input(write_json(gpt.messages), tmp_path / "out")
    assert "observation_post" not in read(bundle, "trace.json")["steps"][0]
    assert adapter.report is not None
    assert adapter.report.pictures_elsewhere == 1
