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
        response: A dict or the vendor SDK's object: an OpenAI response or a chat completion.

    Returns:
        Entries of `token`, `token_id` (None where the vendor gives none), `logprob` and
        `top_alternatives` (entries of the first three). None when nobody asked for them; an empty
        list when somebody did and the vendor gave none.
    """
    plain = as_plain(response)
    if not isinstance(plain, dict):
        return None
    found = [*_from_output(plain), *_from_choices(plain)]
    if not found:
        return None
    return [_entry(raw) for group in found for raw in objects_in(group) if _usable(raw)]


def _from_output(response: dict[str, Any]) -> list[list[Any]]:
    parts = [
        part
        for item in objects_in(response.get("output"))
        for part in objects_in(item.get("content"))
    ]
    groups = [as_list(part["logprobs"]) for part in parts if part.get("logprobs") is not None]
    # The Responses API writes `logprobs: []` and `top_logprobs: 0` when nobody asked.
    unasked = response.get("top_logprobs") == 0 and not any(groups)
    return [] if unasked else groups


def _from_choices(response: dict[str, Any]) -> list[list[Any]]:
    blocks = [choice.get("logprobs") for choice in objects_in(response.get("choices"))]
    return [as_list(block.get("content")) for block in objects_in(blocks)]


def _usable(raw: dict[str, Any]) -> bool:
    value = raw.get("logprob")
    return isinstance(value, int | float) and not math.isnan(value)


def _entry(raw: dict[str, Any]) -> dict[str, Any]:
    ranked = raw.get("top_logprobs", raw.get("top_alternatives"))
    others = [_token(other) for other in objects_in(ranked) if _usable(other)]
    return _token(raw) | {"top_alternatives": others}


def _token(raw: dict[str, Any]) -> dict[str, Any]:
    token_id = raw.get("token_id")
    value = float(raw["logprob"])
    return {
        "token": str(raw.get("token", "")),
        "token_id": token_id if isinstance(token_id, int) else None,
        "logprob": value if math.isfinite(value) else UNLIKELY,
    }
