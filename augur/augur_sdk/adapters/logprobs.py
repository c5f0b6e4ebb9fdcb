"""The token log probabilities of a model's response, in the form of a modelio record."""

from __future__ import annotations

import math
from typing import Any, Final

from augur_sdk.adapters.plain import as_list, as_plain, objects_in

__all__ = ["logprobs_in"]

UNLIKELY: Final = -9999.0
"""What OpenAI writes for a token too unlikely to rank; JSON has no minus infinity."""


def logprobs_in(response: Any) -> list[dict[str, Any]] | None:
    """The log probabilities of a response's tokens, in order (contract/records.md, modelio).

    Args:
        response: A dict or the vendor SDK's object: an OpenAI response or chat completion, or an
            Anthropic message.

    Returns:
        Entries of `token`, `token_id`, `logprob` and `top_alternatives` (entries of the first
        three); what the vendor does not give is left out. None when nobody asked for them; an
        empty list when somebody did and the vendor gave none.
    """
    plain = as_plain(response)
    if not isinstance(plain, dict):
        return None
    found = [*_from_output(plain), *_from_choices(plain), *_of_parts(plain.get("content"))]
    if not found:
        return None
    return [_entry(raw) for group in found for raw in objects_in(group) if _usable(raw)]


def _from_output(response: dict[str, Any]) -> list[list[Any]]:
    items = objects_in(response.get("output"))
    groups = [group for item in items for group in _of_parts(item.get("content"))]
    # The Responses API writes `logprobs: []` and `top_logprobs: 0` when nobody asked.
    unasked = response.get("top_logprobs") == 0 and not any(groups)
    return [] if unasked else groups


def _of_parts(content: Any) -> list[list[Any]]:
    parts = objects_in(content)
    return [as_list(part["logprobs"]) for part in parts if part.get("logprobs") is not None]


def _from_choices(response: dict[str, Any]) -> list[list[Any]]:
    blocks = [choice.get("logprobs") for choice in objects_in(response.get("choices"))]
    return [as_list(block.get("content")) for block in objects_in(blocks)]


def _usable(raw: dict[str, Any]) -> bool:
    value = raw.get("logprob")
    return isinstance(value, int | float) and not math.isnan(value)


def _entry(raw: dict[str, Any]) -> dict[str, Any]:
    ranked = raw.get("top_logprobs", raw.get("top_alternatives"))
    others = [_token(other) for other in objects_in(ranked) if _usable(other)]
    return _token(raw) | ({"top_alternatives": others} if others else {})


def _token(raw: dict[str, Any]) -> dict[str, Any]:
    value = float(raw["logprob"])
    entry: dict[str, Any] = {"logprob": value if math.isfinite(value) else UNLIKELY}
    if raw.get("token") is not None:
        entry["token"] = str(raw["token"])
    if isinstance(raw.get("token_id"), int):
        entry["token_id"] = raw["token_id"]
    return entry
