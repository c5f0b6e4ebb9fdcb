"""Messages of any shape: adapters leave out what they cannot read, and never raise."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augur_sdk.adapters import (
    AnthropicComputerUseAdapter,
    ModelApiAdapterBase,
    OpenAIComputerUseAdapter,
)
from augur_sdk.adapters.anthropic_computer_use import _messages as anthropic_messages
from augur_sdk.adapters.message_log import Reshape, SkippedRecords
from augur_sdk.adapters.model_calls import PromptHash, modelio_record, sent_message
from augur_sdk.adapters.openai_computer_use import _messages as openai_messages
from augur_sdk.models.validators import problems

WORDS = st.sampled_from(
    [
        "assistant", "user", "message", "tool_use", "tool_result", "image", "base64", "thinking",
        "text", "computer", "left_click", "computer_call", "computer_call_output", "reasoning",
        "function_call", "click", "drag", "input_image", "response.created", "failed",
        "data:image/", "data:image/png;base64,AAA", "",
    ]
)  # fmt: skip
KEYS = st.sampled_from(
    [
        "role", "content", "type", "input", "output", "action", "actions", "name", "id", "call_id",
        "tool_use_id", "toolset_name", "source", "data", "image_url", "summary", "text", "path",
        "coordinate", "x", "y", "params", "request", "response", "message", "messages", "usage",
        "input_tokens", "timestamp", "model", "system", "tools", "choices", "logprobs", "is_error",
        "pending_safety_checks", "status", "arguments", "tool_calls", "thinking", "stop_reason",
    ]
)  # fmt: skip
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-5, 2000), st.floats(), WORDS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)
RECORDS = st.lists(st.dictionaries(KEYS, VALUES, max_size=7), max_size=5)

ADAPTERS: list[tuple[ModelApiAdapterBase, Reshape]] = [
    (AnthropicComputerUseAdapter(other_tools=True), anthropic_messages),
    (OpenAIComputerUseAdapter(other_tools=True), openai_messages),
]


@pytest.mark.parametrize(
    ("adapter", "reshape"), ADAPTERS, ids=lambda value: getattr(value, "name", "")
)
@settings(max_examples=80, deadline=None)
@given(records=RECORDS)
def test_no_message_makes_an_adapter_raise(
    adapter: ModelApiAdapterBase, reshape: Reshape, records: list[dict[str, Any]]
) -> None:
    messages = list(reshape(iter(records), SkippedRecords()))
    prompt = PromptHash()
    for turn, _, action in adapter.iter_tool_calls(messages):
        assert 0 <= turn < len(messages)
        adapter.on_action(action, 0)
    for message in messages:
        facts = adapter.read_message(message)
        prompt.add(message)
        if facts.is_response:
            adapter.extract_reasoning_from_response(message)
            record = modelio_record(message, [sent_message(message)], {}, prompt.value())
            stamped = {"schema_version": "0.1", "ts": "2026-01-01T00:00:00Z", **record}
            found = [p for p in problems("modelio", stamped) if "NaN" not in p.message]
            assert found == []
