"""A logged response as a modelio record, and the hash of the prompt that led to it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from augur_sdk.adapters.logprobs import logprobs_in
from augur_sdk.adapters.pictures import without_pictures
from augur_sdk.adapters.plain import as_list, objects_in, text_in
from augur_sdk.adapters.usage import usage_in

__all__ = ["PromptHash", "model_of", "modelio_record", "response_record", "sent_message"]

_PARAMS = (
    "max_tokens", "max_output_tokens", "temperature", "top_p", "top_k", "tool_choice", "thinking",
    "reasoning", "truncation", "betas", "service_tier",
)  # fmt: skip


class PromptHash:
    """The digest of everything that a model has been sent and has answered so far.

    A growing conversation never has the same digest twice, so that two calls with equal last
    messages stay two calls.
    """

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, message: Mapping[str, Any]) -> None:
        """Take in one more message, pictures included."""
        import orjson

        options = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
        self._digest.update(orjson.dumps(message, default=str, option=options))

    def value(self) -> str:
        """The digest so far, as `sha256:` and 64 hex digits."""
        return f"sha256:{self._digest.hexdigest()}"


def model_of(message: Mapping[str, Any], metadata: Mapping[str, Any]) -> str | None:
    """The model that answered: as the response says, else as it was asked for, else the run's."""
    request = message.get("request")
    sources = (message, request if isinstance(request, dict) else {}, metadata)
    return next(
        (s["model"] for s in sources if s.get("model") and isinstance(s["model"], str)), None
    )


def sent_message(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message as a request's, its screenshots replaced by their digests."""
    content = without_pictures(message.get("content"))
    return {"role": str(message.get("role") or "user"), "content": content}


def modelio_record(
    message: Mapping[str, Any],
    sent: Iterable[Mapping[str, Any]],
    metadata: Mapping[str, Any],
    prompt_hash: str,
) -> dict[str, Any]:
    """A response and its request as a modelio record, without the times.

    `request.messages` holds what was new since the response before: a run's records together hold
    the conversation once. Screenshots are replaced by their digests.

    Args:
        message: The response.
        sent: The messages since the response before, as `sent_message` makes them.
        metadata: The run's `model`, `system`, `tools` and parameters, where the log gives them.
        prompt_hash: The digest of the conversation up to the response.
    """
    given = message.get("request")
    request = {**metadata, **(given if isinstance(given, dict) else {})}
    return {
        "layer": "model",
        "request": _request(request, sent, model_of(message, metadata) or "unknown"),
        "response": response_record(message),
        "prompt_hash": prompt_hash,
    }


def _request(
    given: Mapping[str, Any], sent: Iterable[Mapping[str, Any]], model: str
) -> dict[str, Any]:
    system = given.get("system", given.get("instructions"))
    params = {name: given[name] for name in _PARAMS if given.get(name) is not None}
    optional = {
        "system": system if isinstance(system, str) else text_in(system) or None,
        "tools": without_pictures(objects_in(given.get("tools"))) or None,
        "params": without_pictures(params) or None,
    }
    return {"model": model, "messages": [*sent]} | {k: v for k, v in optional.items() if v}


def response_record(message: Mapping[str, Any]) -> dict[str, Any]:
    """A response of any vendor as a modelio record's `response`; without its pictures."""
    parts = objects_in(message.get("output")) or objects_in(message.get("content"))
    spoken = (p.get("content") if "content" in p else [p] for p in parts)
    content = message.get("content")
    text = (
        content if isinstance(content, str) else "\n".join(t for p in spoken if (t := text_in(p)))
    )
    calls = [without_pictures(part) for part in [*parts, *_chat_calls(message)] if _is_call(part)]
    stop = message.get("stop_reason") or message.get("finish_reason") or message.get("status")
    optional = {
        "stop_reason": stop if isinstance(stop, str) else None,
        "usage": usage_in(message) or None,
        "logprobs": logprobs_in(message),
    }
    known = {name: value for name, value in optional.items() if value is not None}
    return {"text": text or None, "tool_calls": calls} | known


def _chat_calls(message: Mapping[str, Any]) -> list[Any]:
    return objects_in(as_list(message.get("tool_calls")))


def _is_call(part: Mapping[str, Any]) -> bool:
    kind = part.get("type")
    return isinstance(kind, str) and (kind.endswith(("_call", "tool_use")) or kind == "function")
