"""Log records that wrap what the API sent and answered, opened up into messages.

Understood: `{"request": {...}, "response": {...}}` (a call), `{"request": {...}}` or
`{"response": {...}}` alone, and `{"message": {...}}`; a time beside the wrapped part becomes the
message's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ["open_envelope"]

Record = dict[str, Any]

_TIMES = ("timestamp", "ts", "completed_at", "created_at")
_CONVERSATION = frozenset({"messages", "input"})


def open_envelope(
    record: Record, new_inputs: Callable[[Mapping[str, Any]], Iterator[Record]]
) -> Iterator[Record]:
    """The messages of a log record: what was new in the request, then the response.

    Args:
        record: One record of a log.
        new_inputs: Finds, in a request, what it adds to the conversation so far.

    Yields:
        A record that is no envelope as it is. A response keeps the rest of its request
        (`model`, `system`, `tools`, parameters) under `request`.
    """
    time = {name: record[name] for name in _TIMES if record.get(name) is not None}
    request, response = record.get("request"), record.get("response")
    if isinstance(request, dict):
        yield from (message | time for message in new_inputs(request))
    if isinstance(response, dict):
        asked = request if isinstance(request, dict) else {}
        rest = {key: value for key, value in asked.items() if key not in _CONVERSATION}
        yield {"role": "assistant", **response, **time, "request": rest}
    if isinstance(record.get("message"), dict):
        yield {**record["message"], **time}
    elif not isinstance(request, dict) and not isinstance(response, dict):
        yield record
