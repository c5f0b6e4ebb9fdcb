"""Responses and items of the Responses API, built with OpenAI's types, as actions and facts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from openai.types.responses.computer_action import (
    Click,
    ComputerAction,
    DoubleClick,
    Drag,
    DragPath,
    Keypress,
    Move,
    Screenshot,
    Scroll,
    Type,
    Wait,
)
from openai.types.responses.response_computer_tool_call import ActionClick

from augur_sdk.adapters import OpenAIComputerUseAdapter

ACTIONS: list[ComputerAction] = [
    Click(type="click", button="left", x=1, y=2),
    Click(type="click", button="wheel", x=1, y=2, keys=["CTRL"]),
    DoubleClick(type="double_click", x=3, y=4),
    Drag(type="drag", path=[DragPath(x=1, y=2), DragPath(x=30, y=40)]),
    Keypress(type="keypress", keys=["CTRL", "S"]),
    Move(type="move", x=5, y=6),
    Screenshot(type="screenshot"),
    Scroll(type="scroll", x=7, y=8, scroll_x=0, scroll_y=-120),
    Type(type="type", text="hello"),
    Wait(type="wait"),
]


def params(action: ComputerAction) -> dict[str, Any]:
    return action.model_dump(exclude={"type"}, exclude_none=True)


def test_every_action_that_the_vendor_names_is_in_the_table() -> None:
    named = {
        model.model_fields["type"].annotation for model in get_args(get_args(ComputerAction)[0])
    }
    kinds = {kind for annotation in named for kind in get_args(annotation)}
    assert {action.type for action in ACTIONS} == kinds


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.type)
def test_each_action_keeps_its_type_and_parameters(gpt: Any, action: ComputerAction) -> None:
    gpt.response(action)
    adapter = OpenAIComputerUseAdapter()
    ((turn, call, raw),) = adapter.iter_tool_calls(gpt.messages)
    record = adapter.on_action(raw, 0)
    assert (turn, call) == (0, 0)
    assert record["type"] == action.type
    assert record["params"] == params(action)
    assert adapter.on_action(action, 0) == record


def test_the_older_action_types_make_the_same_record() -> None:
    adapter = OpenAIComputerUseAdapter()
    older = ActionClick(type="click", button="left", x=1, y=2)
    assert adapter.on_action(older, 0) == adapter.on_action(ACTIONS[0], 0)


def test_each_of_several_actions_in_a_call_is_a_step(gpt: Any) -> None:
    gpt.user("go")
    gpt.response(*ACTIONS, call_id="call_7")
    adapter = OpenAIComputerUseAdapter()
    found = list(adapter.iter_tool_calls(gpt.messages))
    assert [(turn, call) for turn, call, _ in found] == [(1, i) for i in range(len(ACTIONS))]
    assert [raw["type"] for _, _, raw in found] == [action.type for action in ACTIONS]
    assert set(adapter.read_message(gpt.messages[1]).call_ids) == {"call_7"}


def test_function_calls_are_steps_only_when_asked_for() -> None:
    calls = [
        {"type": "function_call", "call_id": "f", "name": "goto", "arguments": '{"url": "x"}'},
        {"type": "function_call", "call_id": "g", "name": "bad", "arguments": "{not json"},
    ]
    response = {"object": "response", "output": calls}
    assert list(OpenAIComputerUseAdapter().iter_tool_calls([response])) == []
    found = [
        a for _, _, a in OpenAIComputerUseAdapter(other_tools=True).iter_tool_calls([response])
    ]
    assert found == [
        {"type": "goto", "params": {"url": "x"}},
        {"type": "bad", "params": {"arguments": "{not json"}},
    ]


def load(path: Path) -> list[Any]:
    return list(OpenAIComputerUseAdapter().load_messages(path)[0])


def test_responses_and_outputs_alternate_as_messages(
    gpt: Any, picture: Callable[[int], bytes], write_json: Callable[..., Path]
) -> None:
    gpt.user("go", picture(0))
    gpt.response(ACTIONS[0], text="I click.", call_id="c1")
    gpt.output("c1", picture(1))
    gpt.response(text="Done.")
    messages = load(write_json(gpt.messages))
    adapter = OpenAIComputerUseAdapter()
    facts = [adapter.read_message(m) for m in messages]
    assert [f.is_response for f in facts] == [False, True, False, True]
    assert [f.text for f in facts] == ["go", "I click.", "", "Done."]
    assert [(p.call_id, p.data) for p in facts[0].pictures] == [(None, picture(0))]
    assert [(p.call_id, p.data) for p in facts[2].pictures] == [("c1", picture(1))]


def test_loose_items_of_the_model_make_one_turn(
    gpt: Any, picture: Callable[[int], bytes], write_lines: Callable[..., Path]
) -> None:
    gpt.user("go")
    response = gpt.response(ACTIONS[0], text="I click.", summary="Why.", call_id="c1")
    gpt.output("c1", picture(1))
    items = [gpt.messages[0], *response.model_dump(mode="json")["output"], gpt.messages[2]]
    messages = load(write_lines(items))
    assert [m["role"] for m in messages] == ["user", "assistant", "user"]
    adapter = OpenAIComputerUseAdapter()
    assert [(t, a["type"]) for t, _, a in adapter.iter_tool_calls(messages)] == [(1, "click")]
    assert adapter.read_message(messages[1]).text == "I click."


def test_wrapped_calls_with_the_whole_history_are_read_once(
    gpt: Any, picture: Callable[[int], bytes], write_lines: Callable[..., Path]
) -> None:
    gpt.user("go")
    gpt.response(ACTIONS[0], call_id="c1")
    gpt.output("c1", picture(1))
    gpt.response(text="Done.")
    user, first, output, last = gpt.messages
    history = [user, *first["output"], output]
    path = write_lines(
        [
            {"request": {"input": "go", "model": "m"}, "response": first},
            {"request": {"input": history, "model": "m"}, "response": last},
        ]
    )
    messages = load(path)
    assert [m["role"] for m in messages] == ["user", "assistant", "user", "assistant"]
    assert messages[2]["content"] == [output]


def test_a_streamed_response_counts_once(gpt: Any, write_lines: Callable[..., Path]) -> None:
    whole = gpt.response(ACTIONS[0]).model_dump(mode="json")
    started = {**whole, "status": "in_progress", "output": []}
    path = write_lines(
        [
            {"type": "response.created", "response": started},
            {"type": "response.output_text.delta", "delta": "I", "sequence_number": 2},
            {"type": "response.completed", "response": whole},
        ]
    )
    messages = load(path)
    assert [len(m["output"]) for m in messages] == [1]


def test_safety_checks_are_noted_with_their_call(gpt: Any) -> None:
    check = {"id": "sc_1", "code": "malicious_instructions", "message": "careful"}
    gpt.response(ACTIONS[0], call_id="c1", checks=[check])
    (note,) = OpenAIComputerUseAdapter().read_message(gpt.messages[0]).notes
    assert note.summary == "safety check asked for: malicious_instructions"
    assert (note.call_id, note.detail) == ("c1", check)


def test_a_call_that_did_not_complete_is_an_error() -> None:
    output = {"type": "computer_call_output", "call_id": "c", "status": "failed", "output": {}}
    message = {"role": "user", "content": [output]}
    (result,) = OpenAIComputerUseAdapter().read_message(message).results
    assert result.error == "computer call failed"
