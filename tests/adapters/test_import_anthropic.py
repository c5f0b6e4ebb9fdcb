"""Whole imports of Messages API logs: the bundle, its steps, pictures and model calls."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from anthropic.types import Usage

from augur_sdk.adapters import AnthropicComputerUseAdapter


def read(bundle: Path, name: str) -> Any:
    return json.loads((bundle / name).read_text())


def click(x: int, y: int) -> dict[str, object]:
    return {"action": "left_click", "coordinate": [x, y]}


def logged_run(claude: Any, picture: Callable[[int], bytes]) -> list[dict[str, Any]]:
    """A look, two clicks in one turn, a failed key press, the last word."""
    claude.user("Save the file.")
    claude.response(("a", {"action": "screenshot"}))
    claude.result("a", picture(1))
    usage = Usage(input_tokens=10, output_tokens=7, cache_read_input_tokens=90)
    claude.response(
        ("b", click(10, 20)),
        ("c", click(30, 40)),
        text="Two clicks.",
        thinking="Both are visible.",
        usage=usage,
    )
    claude.results(("b", picture(2)), ("c", picture(3)))
    claude.response(("d", {"action": "key", "text": "ctrl+s"}))
    claude.result("d", error="no such window")
    claude.response(text="Saved.")
    return list(claude.messages)


def test_screenshots_follow_each_other_from_step_to_step(
    claude: Any, picture: Callable[[int], bytes], write_json: Callable[..., Path], tmp_path: Path
) -> None:
    log = write_json(logged_run(claude, picture))
    bundle = AnthropicComputerUseAdapter().bundle_from_input(log, tmp_path / "out")
    steps = read(bundle, "trace.json")["steps"]

    def seen(kind: str) -> list[bytes | None]:
        paths = [s.get(f"observation_{kind}") for s in steps]
        return [(bundle / path).read_bytes() if path else None for path in paths]

    assert seen("pre") == [None, picture(1), picture(2), picture(3)]
    assert seen("post") == [picture(1), picture(2), picture(3), None]


def test_a_failed_tool_call_is_a_failed_step(
    claude: Any, picture: Callable[[int], bytes], write_json: Callable[..., Path], tmp_path: Path
) -> None:
    log = write_json(logged_run(claude, picture))
    bundle = AnthropicComputerUseAdapter().bundle_from_input(log, tmp_path / "out")
    steps = read(bundle, "trace.json")["steps"]
    assert [s["status"] for s in steps] == ["succeeded", "succeeded", "succeeded", "failed"]
    assert steps[3]["failure_class"] == "anthropic.tool_error"
    assert steps[3]["verdict"]["status"] == "unknown"
    event = json.loads((bundle / "events/0003.jsonl").read_text())
    assert (event["kind"], event["detail"]["error"]) == ("error", "no such window")


def test_a_turn_tells_its_intent_its_reasoning_and_its_tokens_once(
    claude: Any, picture: Callable[[int], bytes], write_json: Callable[..., Path], tmp_path: Path
) -> None:
    log = write_json(logged_run(claude, picture))
    bundle = AnthropicComputerUseAdapter().bundle_from_input(log, tmp_path / "out")
    steps = read(bundle, "trace.json")["steps"]
    assert [s.get("intent") for s in steps] == [None, "Two clicks.", "Two clicks.", None]
    assert steps[1]["costs"] == {"tokens_in": 100, "tokens_out": 7, "cache_hit_tokens": 90}
    assert "costs" not in steps[2]
    assert steps[1]["captured_versions"]["model"] == "claude-opus-4-5"
    (line,) = (bundle / "events/reasoning.jsonl").read_text().splitlines()
    assert json.loads(line)["text"] == "Both are visible."
    assert json.loads(line)["step_index"] == 1


def test_a_log_without_times_gets_a_second_a_message(
    claude: Any, picture: Callable[[int], bytes], write_json: Callable[..., Path], tmp_path: Path
) -> None:
    log = write_json(logged_run(claude, picture))
    bundle = AnthropicComputerUseAdapter().bundle_from_input(log, tmp_path / "out")
    trace = read(bundle, "trace.json")
    assert trace["session"]["started_at"] == "1970-01-01T00:00:00.000Z"
    assert trace["session"]["tags"]["augur.times"] == "synthetic"
    started = [s["started_at"] for s in trace["steps"]]
    assert [text[17:19] for text in started] == ["01", "03", "03", "05"]


def test_a_given_start_moves_a_log_without_times(
    claude: Any, picture: Callable[[int], bytes], write_json: Callable[..., Path], tmp_path: Path
) -> None:
    log = write_json(logged_run(claude, picture), started_at="2026-05-01T12:00:00Z")
    bundle = AnthropicComputerUseAdapter().bundle_from_input(log, tmp_path / "out")
    assert read(bundle, "trace.json")["steps"][0]["started_at"] == "2026-05-01T12:00:01.000Z"


def test_results_with_a_time_end_their_steps_and_the_last_one_the_run(
    claude: Any, write_lines: Callable[..., Path], tmp_path: Path
) -> None:
    claude.response(("a", {"action": "wait"}), timestamp="2026-05-01T12:00:00Z")
    claude.result("a")
    claude.messages[1]["timestamp"] = "2026-05-01T12:00:04Z"
    log = write_lines(claude.messages)
    bundle = AnthropicComputerUseAdapter().bundle_from_input(log, tmp_path / "out")
    trace = read(bundle, "trace.json")
    for record in (*trace["steps"], trace["session"]):
        assert record["started_at"] == "2026-05-01T12:00:00.000Z"
        assert record["ended_at"] == "2026-05-01T12:00:04.000Z"


def test_lines_and_document_make_the_same_steps(
    claude: Any,
    picture: Callable[[int], bytes],
    write_json: Callable[..., Path],
    write_lines: Callable[..., Path],
    tmp_path: Path,
) -> None:
    messages = logged_run(claude, picture)
    adapter = AnthropicComputerUseAdapter()
    one = adapter.bundle_from_input(write_json(messages), tmp_path / "one")
    other = adapter.bundle_from_input(write_lines(messages), tmp_path / "other")
    assert read(one, "trace.json")["steps"] == read(other, "trace.json")["steps"]
    session_ids = {read(b, "trace.json")["session"]["debug_session_id"] for b in (one, other)}
    assert len(session_ids) == 1


def test_damaged_lines_cost_themselves_only_and_are_told_everywhere(
    claude: Any, picture: Callable[[int], bytes], write_lines: Callable[..., Path], tmp_path: Path
) -> None:
    messages: list[Any] = logged_run(claude, picture)
    log = write_lines([*messages[:5], '{"role": "user", "cont', '{"unknown": 1}', *messages[5:]])
    adapter = AnthropicComputerUseAdapter()
    with pytest.warns(UserWarning, match=r"2 of its records skipped .*record 6, not JSON"):
        bundle = adapter.bundle_from_input(log, tmp_path / "out")
    assert len(read(bundle, "trace.json")["steps"]) == 4
    assert adapter.report is not None
    assert [number for number, _ in adapter.report.first_skipped] == [6, 7]
    assert "record 7: neither a message nor a response" in adapter.report.render()
    (line,) = (bundle / "events/run.jsonl").read_text().splitlines()
    assert json.loads(line)["kind"] == "error"
    assert "2 of its records skipped" in json.loads(line)["summary"]


def test_an_action_without_a_type_is_a_step_without_an_action(
    claude: Any, write_json: Callable[..., Path], tmp_path: Path
) -> None:
    claude.response(("a", {"coordinate": [1, 2]}))
    adapter = AnthropicComputerUseAdapter()
    with pytest.warns(UserWarning, match="1 actions without a usable type"):
        bundle = adapter.bundle_from_input(write_json(claude.messages), tmp_path / "out")
    (step,) = read(bundle, "trace.json")["steps"]
    assert "action" not in step
    event = json.loads((bundle / "events/0000.jsonl").read_text())
    assert event["detail"]["raw"]["params"] == {"coordinate": [1, 2]}


def test_screenshots_beside_the_log_win(
    claude: Any, picture: Callable[[int], bytes], write_json: Callable[..., Path], tmp_path: Path
) -> None:
    log = write_json(logged_run(claude, picture))
    screens = tmp_path / "screens"
    screens.mkdir()
    (screens / "0001_pre.png").write_bytes(picture(9))
    (screens / "0003_post.png").write_bytes(picture(8))
    bundle = AnthropicComputerUseAdapter().bundle_from_input(log, tmp_path / "out")
    assert (bundle / "screenshots/0001_pre.png").read_bytes() == picture(9)
    assert (bundle / "screenshots/0001_post.png").read_bytes() == picture(2)
    assert (bundle / "screenshots/0003_post.png").read_bytes() == picture(8)


def test_what_is_no_picture_is_left_out_and_counted(
    claude: Any, write_json: Callable[..., Path], tmp_path: Path
) -> None:
    claude.response(("a", {"action": "wait"}))
    claude.result("a", b"not a picture")
    adapter = AnthropicComputerUseAdapter()
    with pytest.warns(UserWarning, match="1 screenshots"):
        bundle = adapter.bundle_from_input(write_json(claude.messages), tmp_path / "out")
    assert "observation_post" not in read(bundle, "trace.json")["steps"][0]


def test_a_zoomed_part_is_not_taken_for_the_screen(
    claude: Any, picture: Callable[[int], bytes], write_json: Callable[..., Path], tmp_path: Path
) -> None:
    zoom: dict[str, object] = {"action": "zoom", "region": [0, 0, 9, 9]}
    claude.response(("a", {"action": "screenshot"}))
    claude.result("a", picture(1))
    claude.response(("b", zoom), ("c", click(1, 2)))
    claude.results(("b", picture(5)), ("c", picture(2)))
    claude.response(("d", zoom))
    claude.result("d", picture(6))
    claude.response(("e", click(3, 4)))
    log = write_json(claude.messages)
    bundle = AnthropicComputerUseAdapter().bundle_from_input(log, tmp_path / "out")
    steps = read(bundle, "trace.json")["steps"]
    pres = [(bundle / s["observation_pre"]).read_bytes() for s in steps[1:]]
    assert pres == [picture(1), picture(1), picture(2), picture(2)]
    assert (bundle / steps[1]["observation_post"]).read_bytes() == picture(5)
