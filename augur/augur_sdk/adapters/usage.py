"""Token counts, from each vendor's way of counting to the one of the records.

`prompt_tokens` is everything that went in, cached or not. OpenAI counts that way; Anthropic's
`input_tokens` leaves out what was read from or written to the cache, so the three are added.
"""

from __future__ import annotations

from typing import Any

from augur_sdk.adapters.plain import as_plain

__all__ = ["costs_of", "usage_in"]


def usage_in(response: Any) -> dict[str, int]:
    """A response's token counts as a modelio record's `usage`; empty where it has none."""
    plain = as_plain(response)
    usage = plain.get("usage") if isinstance(plain, dict) else None
    if not isinstance(usage, dict):
        return {}
    details = usage.get("input_tokens_details") or usage.get("prompt_tokens_details") or {}
    read, written = (
        _count(usage, "cache_read_input_tokens"),
        _count(usage, "cache_creation_input_tokens"),
    )
    prompt = _count(usage, "input_tokens", "prompt_tokens")
    counts = {
        "prompt_tokens": None if prompt is None else prompt + (read or 0) + (written or 0),
        "completion_tokens": _count(usage, "output_tokens", "completion_tokens"),
        "cache_hit_tokens": read if read is not None else _count(details, "cached_tokens"),
        "cache_creation_tokens": (
            written if written is not None else _count(details, "cache_write_tokens")
        ),
    }
    return {name: count for name, count in counts.items() if count is not None}


def costs_of(usage: dict[str, int]) -> dict[str, int]:
    """The same counts under the names of a step's `costs`."""
    names = {
        "tokens_in": "prompt_tokens",
        "tokens_out": "completion_tokens",
        "cache_hit_tokens": "cache_hit_tokens",
    }
    return {cost: usage[name] for cost, name in names.items() if name in usage}


def _count(counts: Any, *names: str) -> int | None:
    if not isinstance(counts, dict):
        return None
    found = (counts[name] for name in names if isinstance(counts.get(name), int))
    return next((max(0, count) for count in found), None)
