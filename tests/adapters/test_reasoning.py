"""Reasoning taken from responses of both vendors, as objects and as dicts."""

from __future__ import annotations

from typing import Any

from anthropic.types import (
    Message,
    OutputTokensDetails,
    RedactedThinkingBlock,
    TextBlock,
    ThinkingBlock,
    Usage,
)
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from augur_sdk.adapters import ModelApiAdapterBase

extract = ModelApiAdapterBase.extract_reasoning_from_response


def claude_message() -> Message:
    details = OutputTokensDetails(thinking_tokens=42)
    return Message(
        id="msg_1",
        role="assistant",
        type="message",
        model="claude-opus-4-5",
        content=[
            ThinkingBlock(type="thinking", thinking="The button is blue.", signature="s"),
            RedactedThinkingBlock(type="redacted_thinking", data="opaque"),
            TextBlock(type="text", text="I click it."),
            ThinkingBlock(type="thinking", thinking="Now the form.", signature="s"),
            ThinkingBlock(type="thinking", thinking="", signature="s"),
        ],
        usage=Usage(input_tokens=1, output_tokens=60, output_tokens_details=details),
    )


def openai_response(item: dict[str, Any]) -> Response:
    return Response.model_validate(
        {
            "id": "r",
            "object": "response",
            "created_at": 1.0,
            "model": "gpt-5.5",
            "parallel_tool_calls": False,
            "tool_choice": "auto",
            "tools": [],
            "output": [{"id": "rs", "type": "reasoning", "summary": [], **item}],
        }
    )


def test_thinking_blocks_come_out_in_order_with_the_tokens_on_the_first() -> None:
    form = "claude_extended_thinking"
    model = "claude-opus-4-5"
    assert extract(claude_message()) == [
        {"text": "The button is blue.", "format": form, "model": model, "tokens": 42},
        {"text": "Now the form.", "format": form, "model": model},
    ]


def test_an_object_and_its_dict_give_the_same() -> None:
    message = claude_message()
    assert extract(message) == extract(message.model_dump())


def test_the_parts_of_a_summary_are_one_block() -> None:
    parts = [{"type": "summary_text", "text": t} for t in ("**Looking**", "**Deciding**")]
    assert extract(openai_response({"summary": parts})) == [
        {
            "text": "**Looking**\n\n**Deciding**",
            "format": "openai_reasoning_summary",
            "model": "gpt-5.5",
        }
    ]


def test_raw_reasoning_text_stands_in_for_a_missing_summary() -> None:
    found = extract(openai_response({"content": [{"type": "reasoning_text", "text": "hm"}]}))
    assert [(b["text"], b["format"]) for b in found] == [("hm", "adapter_inferred")]


def test_reasoning_of_a_chat_completion_is_inferred() -> None:
    completion = ChatCompletion.model_validate(
        {
            "id": "c",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": "x", "reasoning_content": "why"},
                }
            ],
        }
    )
    assert extract(completion) == [{"text": "why", "format": "adapter_inferred", "model": "m"}]


def test_what_holds_no_reasoning_gives_none() -> None:
    for response in ({}, [], None, "text", {"content": "text"}, {"output": None}, object()):
        assert extract(response) == []
