"""Lists of model tokens with their log probabilities.

A token is model output, not a secret, so it is kept whatever its key says. But a secret that a
model wrote stands in the list in pieces: the tokens are read as one text, and where a rule finds
something in it, the tokens from its beginning to its end are masked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from augur_sdk.redaction.markers import MASK

__all__ = ["changed_range", "is_token_list", "redact_token_list"]


def is_token_list(items: Sequence[Any]) -> bool:
    """True for a list of `{"token": str, "logprob": number, ...}`."""
    return len(items) > 1 and all(
        isinstance(item, dict)
        and isinstance(item.get("token"), str)
        and isinstance(item.get("logprob"), (int, float))
        for item in items
    )


def redact_token_list(
    entries: Sequence[dict[str, Any]], redact: Callable[[str], str]
) -> list[dict[str, Any]]:
    """The list with the tokens that together spell a secret masked, their alternatives too."""
    text = "".join(entry["token"] for entry in entries)
    start, end = changed_range(text, redact(text))
    result, position = [], 0
    for entry in entries:
        after = position + len(entry["token"])
        result.append(_masked(entry) if position < end and after > start else entry)
        position = after
    return result


def changed_range(before: str, after: str) -> tuple[int, int]:
    """From the first to the last position of `before` that `after` does not keep."""
    if before == after:
        return 0, 0
    shortest = min(len(before), len(after))
    start = _common(before, after, shortest)
    kept_at_end = _common(before[::-1], after[::-1], shortest - start)
    return start, len(before) - kept_at_end


def _common(one: str, other: str, limit: int) -> int:
    """The length of the common beginning, by halving: slices compare at the speed of memory."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _masked(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry without what tells its token: the text, its number, its bytes, its rivals."""
    hidden = {key: value for key, value in entry.items() if key not in {"token_id", "bytes"}}
    hidden["token"] = MASK
    if isinstance(rivals := entry.get("top_alternatives"), list):
        hidden["top_alternatives"] = [_masked(r) for r in rivals if isinstance(r, dict)]
    hidden.pop("top_logprobs", None)
    return hidden
