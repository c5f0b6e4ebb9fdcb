"""The reasoning that a model's response shows, in the form that `record_reasoning` takes."""

from __future__ import annotations

from typing import Any

from augur_sdk.adapters.plain import as_plain, objects_in

__all__ = ["reasoning_in"]


def reasoning_in(response: Any) -> list[dict[str, Any]]:
    """The readable reasoning blocks of a response, in order.

    Understands Claude messages (thinking blocks), OpenAI responses (reasoning items, summaries
    before raw text) and chat completions that carry `reasoning_content`. Encrypted and empty
    blocks say nothing and are left out.

    Args:
        response: A dict or the vendor SDK's object.

    Returns:
        One dict a block, each fit for `session.record_reasoning(step_index, **block)`: `text` and
        `format`, with `model` where the response names it. The vendor counts reasoning tokens
        by response, so the first block alone carries `tokens`.
    """
    plain = as_plain(response)
    if not isinstance(plain, dict):
        return []
    blocks = [*_thinking(plain), *_summaries(plain), *_chat_reasoning(plain)]
    model, tokens = plain.get("model"), _reasoning_tokens(plain.get("usage"))
    if isinstance(model, str):
        blocks = [block | {"model": model} for block in blocks]
    if blocks and tokens is not None:
        blocks[0]["tokens"] = tokens
    return blocks


def _thinking(response: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"text": block["thinking"], "format": "claude_extended_thinking"}
        for block in objects_in(response.get("content"))
        if block.get("type") == "thinking" and block.get("thinking")
    ]


def _summaries(response: dict[str, Any]) -> list[dict[str, Any]]:
    items = (i for i in objects_in(response.get("output")) if i.get("type") == "reasoning")
    return [block for item in items for block in _summary(item)]


def _summary(item: dict[str, Any]) -> list[dict[str, Any]]:
    if summary := _paragraphs(item.get("summary")):
        return [{"text": summary, "format": "openai_reasoning_summary"}]
    if raw := _paragraphs(item.get("content")):
        return [{"text": raw, "format": "adapter_inferred"}]
    return []


def _paragraphs(parts: Any) -> str:
    texts = (part.get("text") for part in objects_in(parts))
    return "\n\n".join(text for text in texts if isinstance(text, str) and text)


def _chat_reasoning(response: dict[str, Any]) -> list[dict[str, Any]]:
    messages = [c.get("message") for c in objects_in(response.get("choices"))]
    texts = [m.get("reasoning_content") for m in objects_in(messages)]
    return [{"text": t, "format": "adapter_inferred"} for t in texts if isinstance(t, str) and t]


def _reasoning_tokens(usage: Any) -> int | None:
    if not isinstance(usage, dict):
        return None
    details = usage.get("output_tokens_details") or usage.get("completion_tokens_details")
    if not isinstance(details, dict):
        return None
    tokens = details.get("reasoning_tokens", details.get("thinking_tokens"))
    return tokens if isinstance(tokens, int) and tokens > 0 else None
