"""Token log probabilities: absent, asked for in vain, and there."""

from __future__ import annotations

import math
from typing import Any

import pytest
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from augur_sdk.adapters import ModelApiAdapterBase
from augur_sdk.models.validators import problems

extract = ModelApiAdapterBase.extract_logprobs_from_response


def response(part: dict[str, Any], **fields: Any) -> Response:
    text = {"type": "output_text", "text": "hi", "annotations": [], **part}
    message = {
        "id": "m", "type": "message", "role": "assistant", "status": "completed", "content": [text],
    }  # fmt: skip
    return Response.model_validate(
        {
            "id": "r",
            "object": "response",
            "created_at": 1.0,
            "model": "gpt-5.5",
            "parallel_tool_calls": False,
            "tool_choice": "auto",
            "tools": [],
            "output": [message],
            **fields,
        }
    )


def completion(logprobs: dict[str, Any] | None) -> ChatCompletion:
    message = {"role": "assistant", "content": "hi"}
    choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": logprobs}
    return ChatCompletion.model_validate(
        {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    )


TOP: list[dict[str, Any]] = [
    {"token": "hi", "bytes": [104], "logprob": -0.1},
    {"token": "yo", "bytes": None, "logprob": -3},
]
TOKEN = {"token": "hi", "bytes": [104], "logprob": -0.1, "top_logprobs": TOP}
ENTRY = {
    "token": "hi",
    "logprob": -0.1,
    "top_alternatives": [{"token": "hi", "logprob": -0.1}, {"token": "yo", "logprob": -3.0}],
}


def test_tokens_of_a_response_come_out_with_their_alternatives() -> None:
    token = {**TOKEN, "top_logprobs": [t | {"bytes": []} for t in TOP]}
    assert extract(response({"logprobs": [token]})) == [ENTRY]


def test_tokens_of_a_chat_completion_come_out_with_their_alternatives() -> None:
    assert extract(completion({"content": [TOKEN], "refusal": None})) == [ENTRY]


def test_tokens_of_an_anthropic_message_come_out() -> None:
    content = [
        {"type": "text", "text": "hi yo", "logprobs": [TOKEN, {"token": "yo", "logprob": -2}]},
        {"type": "tool_use", "id": "t", "name": "computer", "input": {}},
    ]
    assert extract({"role": "assistant", "content": content}) == [
        ENTRY,
        {"token": "yo", "logprob": -2.0},
    ]


def test_what_the_vendor_did_not_give_is_left_out() -> None:
    token: dict[str, Any] = {"token": "a", "token_id": None, "logprob": -1, "top_logprobs": []}
    assert extract({"choices": [{"logprobs": {"content": [token]}}]}) == [
        {"token": "a", "logprob": -1.0}
    ]


def test_nobody_asked_is_none() -> None:
    assert extract(response({})) is None
    assert extract(completion(None)) is None
    assert extract({"content": [{"type": "text", "text": "hi"}]}) is None
    assert extract(None) is None


def test_the_responses_apis_empty_default_counts_as_not_asked() -> None:
    assert extract(response({"logprobs": []}, top_logprobs=0)) is None


def test_asked_for_and_not_given_is_empty() -> None:
    assert extract(response({"logprobs": []}, top_logprobs=5)) == []
    assert extract(completion({"content": None, "refusal": None})) == []


def test_token_ids_are_kept() -> None:
    found = extract({"choices": [{"logprobs": {"content": [{**TOKEN, "token_id": 7}]}}]})
    assert found is not None
    assert found[0]["token_id"] == 7


@pytest.mark.parametrize("value", [-math.inf, math.inf])
def test_an_infinite_logprob_becomes_a_number_that_json_holds(value: float) -> None:
    found = extract({"choices": [{"logprobs": {"content": [{"token": "a", "logprob": value}]}}]})
    assert found is not None
    assert math.isfinite(found[0]["logprob"])


def test_entries_that_are_none_are_left_out() -> None:
    content = [{"token": "a"}, {"token": "b", "logprob": math.nan}, "c", TOKEN]
    assert extract({"choices": [{"logprobs": {"content": content}}]}) == [ENTRY]


def test_entries_fit_a_modelio_record() -> None:
    record = {
        "schema_version": "0.1",
        "layer": "model",
        "ts": "2026-01-01T00:00:00Z",
        "request": {"model": "m"},
        "response": {"logprobs": extract(completion({"content": [TOKEN]}))},
    }
    assert problems("modelio", record) == []
