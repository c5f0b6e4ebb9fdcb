"""Messages of the Messages API, built with Anthropic's types, as actions and facts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from anthropic.types import ToolUseBlock
from anthropic.types.beta import (
    BetaComputerMemberName,
    BetaToolComputerUse20241022Param,
    BetaToolComputerUse20250124Param,
    BetaToolComputerUse20251124Param,
    BetaToolUseBlock,
)

from augur_sdk.adapters import AnthropicComputerUseAdapter

INPUTS: dict[str, dict[str, object]] = {
    "key": {"text": "ctrl+s", "repeat": 2},
    "hold_key": {"text": "shift", "duration": 1},
    "type": {"text": "hello"},
    "cursor_position": {},
    "mouse_move": {"coordinate": [10, 20]},
    "left_mouse_down": {},
    "left_mouse_up": {},
    "left_click": {"coordinate": [10, 20], "text": "ctrl"},
    "left_click_drag": {"start_coordinate": [1, 2], "coordinate": [30, 40]},
    "right_click": {"coordinate": [10, 20]},
    "middle_click": {"coordinate": [10, 20]},
    "double_click": {"coordinate": [10, 20]},
    "triple_click": {"coordinate": [10, 20]},
    "scroll": {"coordinate": [10, 20], "scroll_direction": "down", "scroll_amount": 3},
    "wait": {"duration": 2},
    "screenshot": {},
    "zoom": {"region": [0, 0, 50, 50]},
}


def test_every_action_that_the_vendor_names_is_in_the_table() -> None:
    assert set(INPUTS) == set(get_args(BetaComputerMemberName))


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("toolset", [False, True])
def test_each_action_keeps_its_type_and_parameters(claude: Any, kind: str, toolset: bool) -> None:
    claude.response(("t1", {"action": kind, **INPUTS[kind]}), toolset=toolset)
    calls = list(AnthropicComputerUseAdapter().iter_tool_calls(claude.messages))
    assert calls == [(0, 0, {"type": kind, "params": INPUTS[kind]})]


@pytest.mark.parametrize("kind", INPUTS)
def test_an_sdk_object_and_its_dict_make_the_same_live_action(kind: str) -> None:
    adapter = AnthropicComputerUseAdapter()
    given = {"action": kind, **INPUTS[kind]}
    block = ToolUseBlock(id="t", name="computer", input=given, type="tool_use")
    beta = BetaToolUseBlock(id="t", name="computer", input=given, type="tool_use")
    action = adapter.on_action(block, 0)
    assert action["type"] == kind
    assert action["params"] == INPUTS[kind]
    assert adapter.on_action(beta, 0) == action
    assert adapter.on_action(block.model_dump(), 0) == action
    assert adapter.on_action(given, 0) == action


def test_turns_count_every_message_and_calls_count_in_their_turn(claude: Any) -> None:
    claude.user("go")
    claude.response(("a", {"action": "screenshot"}))
    claude.result("a")
    claude.response(
        ("b", {"action": "left_click", "coordinate": [1, 2]}), ("c", {"action": "wait"})
    )
    found = list(AnthropicComputerUseAdapter().iter_tool_calls(claude.messages))
    assert [(turn, call, action["type"]) for turn, call, action in found] == [
        (1, 0, "screenshot"),
        (3, 0, "left_click"),
        (3, 1, "wait"),
    ]


def test_other_tools_are_steps_only_when_asked_for(claude: Any) -> None:
    message = claude.response(("a", {"action": "wait"}))
    message.content.append(
        ToolUseBlock(id="b", name="bash", input={"command": "ls"}, type="tool_use")
    )
    messages = [message.model_dump()]
    assert len(list(AnthropicComputerUseAdapter().iter_tool_calls(messages))) == 1
    found = list(AnthropicComputerUseAdapter(other_tools=True).iter_tool_calls(messages))
    assert found[1] == (0, 1, {"type": "bash", "params": {"command": "ls"}})


def test_screenshots_of_tool_results_name_their_call(
    claude: Any, picture: Callable[[int], bytes]
) -> None:
    claude.results(("a", picture(1)), ("b", picture(2)))
    facts = AnthropicComputerUseAdapter().read_message(claude.messages[0])
    assert [(p.call_id, p.data) for p in facts.pictures] == [("a", picture(1)), ("b", picture(2))]
    assert not facts.is_response


def test_an_error_of_a_tool_is_told(claude: Any) -> None:
    claude.result("a", error="xdotool: no such window")
    (result,) = AnthropicComputerUseAdapter().read_message(claude.messages[0]).results
    assert (result.call_id, result.error) == ("a", "xdotool: no such window")


def test_a_plain_text_message_has_no_calls() -> None:
    messages = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    adapter = AnthropicComputerUseAdapter()
    assert list(adapter.iter_tool_calls(messages)) == []
    facts = adapter.read_message(messages[1])
    assert (facts.is_response, facts.text) == (True, "hello")


def load(path: Path) -> tuple[list[Any], dict[str, Any]]:
    messages, metadata = AnthropicComputerUseAdapter().load_messages(path)
    return list(messages), metadata


def test_a_request_as_it_was_sent_is_a_log(claude: Any, tmp_path: Path) -> None:
    import orjson

    claude.user("go")
    tools = [
        BetaToolComputerUse20241022Param(
            type="computer_20241022", name="computer", display_width_px=64, display_height_px=48
        ),
        BetaToolComputerUse20250124Param(
            type="computer_20250124", name="computer", display_width_px=64, display_height_px=48
        ),
        BetaToolComputerUse20251124Param(
            type="computer_20251124", name="computer", display_width_px=64, display_height_px=48
        ),
    ]
    request = {"model": "claude-opus-4-5", "system": "Be brief.", "tools": tools}
    path = tmp_path / "request.json"
    path.write_bytes(orjson.dumps({**request, "messages": claude.messages}))
    assert load(path) == (claude.messages, request)


def test_wrapped_records_are_opened(claude: Any, write_lines: Callable[..., Path]) -> None:
    claude.user("go")
    claude.response(("a", {"action": "screenshot"}))
    claude.result("a")
    claude.response(text="Done.")
    user, first, result, last = claude.messages
    path = write_lines(
        [
            {"metadata": {"run_id": "r"}},
            {"ts": "2026-01-01T00:00:00Z", "request": {"messages": [user]}, "response": first},
            {"request": {"model": "m", "messages": [user, first, result]}, "response": last},
        ]
    )
    messages, metadata = load(path)
    assert metadata == {"run_id": "r"}
    assert [m["role"] for m in messages] == ["user", "assistant", "user", "assistant"]
    assert [m["content"] for m in messages] == [m["content"] for m in claude.messages]
    assert messages[1]["ts"] == "2026-01-01T00:00:00Z"
    assert messages[3]["request"] == {"model": "m"}


def test_a_transcript_with_a_message_a_line_is_a_log(
    claude: Any, write_lines: Callable[..., Path]
) -> None:
    claude.user("go")
    claude.response(("a", {"action": "wait"}))
    stamped = [
        {"type": m["role"], "timestamp": f"2026-01-01T00:00:0{i}Z", "message": m}
        for i, m in enumerate(claude.messages)
    ]
    messages, _ = load(write_lines(stamped))
    assert [m["content"] for m in messages] == [m["content"] for m in claude.messages]
    assert messages[1]["timestamp"] == "2026-01-01T00:00:01Z"
