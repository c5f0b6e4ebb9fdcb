"""Model calls as records: valid, without pictures, and never taken for one another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import augur_schema
import pytest
from openai.types.responses.computer_action import Click

from augur_sdk.adapters.model_calls import PromptHash, model_of, modelio_record, sent_message
from augur_sdk.models.validators import problems


def record_of(messages: list[dict[str, Any]], **metadata: Any) -> dict[str, Any]:
    *sent, response = messages
    prompt = PromptHash()
    for message in sent:
        prompt.add(message)
    record = modelio_record(response, map(sent_message, sent), metadata, prompt.value())
    return {"schema_version": "0.1", "ts": "2026-01-01T00:00:00Z", **record}


def assert_valid(record: dict[str, Any]) -> None:
    assert problems("modelio", record) == []
    augur_schema.validator_for("modelio").validate(record)


def test_a_claude_call_is_a_valid_record(claude: Any, picture: Callable[[int], bytes]) -> None:
    claude.result("a", picture(1))
    claude.response(("b", {"action": "wait"}), text="I wait.", thinking="Hm.")
    tools = [{"type": "computer_20251124", "name": "computer"}]
    record = record_of(claude.messages, system="Be brief.", tools=tools, max_tokens=1000)
    assert_valid(record)
    assert record["request"]["system"] == "Be brief."
    assert record["request"]["tools"] == tools
    assert record["request"]["params"] == {"max_tokens": 1000}
    assert record["response"]["text"] == "I wait."
    assert record["response"]["stop_reason"] == "tool_use"
    assert [call["id"] for call in record["response"]["tool_calls"]] == ["b"]


def test_an_openai_call_is_a_valid_record(gpt: Any) -> None:
    gpt.user("Click it.")
    gpt.response(Click(type="click", button="left", x=1, y=2), text="I click.")
    record = record_of(gpt.messages, instructions="Be brief.")
    assert_valid(record)
    assert record["request"]["system"] == "Be brief."
    assert record["response"]["text"] == "I click."
    assert [call["type"] for call in record["response"]["tool_calls"]] == ["computer_call"]


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": "plain text"},
        {"role": "assistant", "content": None, "tool_calls": [{"type": "function", "id": "f"}]},
        {"role": "assistant", "content": [{"text": "no type"}, 3], "usage": {"input_tokens": -1}},
        {"role": "assistant"},
    ],
)
def test_a_bare_message_is_a_valid_record_too(message: dict[str, Any]) -> None:
    record = record_of([message])
    assert_valid(record)
    assert record["request"]["model"] == "unknown"


def test_pictures_are_left_out_of_the_record_and_count_in_the_hash(
    claude: Any, picture: Callable[[int], bytes]
) -> None:
    hashes = set()
    for number in (1, 2):
        claude.messages.clear()
        claude.result("a", picture(number))
        claude.response(text="ok")
        record = record_of(claude.messages)
        assert len(str(record)) < 1500
        hashes.add(record["prompt_hash"])
    assert len(hashes) == 2


def test_equal_last_messages_of_a_growing_conversation_hash_differently() -> None:
    prompt = PromptHash()
    seen = set()
    for _ in range(5):
        prompt.add({"role": "user", "content": "ok"})
        seen.add(prompt.value())
    assert len(seen) == 5


def test_the_model_is_the_one_that_answered() -> None:
    request = {"request": {"model": "asked"}}
    assert model_of({"model": "answered", **request}, {"model": "run"}) == "answered"
    assert model_of(request, {"model": "run"}) == "asked"
    assert model_of({}, {"model": "run"}) == "run"
    assert model_of({"model": 3}, {}) is None
