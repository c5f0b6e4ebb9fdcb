"""`OpenAIComputerUseAdapter`: logs of the Responses API with the computer tool.

Read are responses as the API returned them, and bare items (`computer_call`,
`computer_call_output`, `reasoning`, messages). A `computer_call` holds one `action`, or several
`actions` of which each becomes a step.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from augur_sdk.adapters.envelopes import open_envelope
from augur_sdk.adapters.logged_message import LoggedMessage, Note, Picture, Result, read_message
from augur_sdk.adapters.message_log import SkippedRecords, open_log
from augur_sdk.adapters.model_api import ModelApiAdapterBase
from augur_sdk.adapters.pictures import decode_picture
from augur_sdk.adapters.plain import objects_in
from augur_sdk.adapters.tool_call import ToolCall

__all__ = ["OpenAIComputerUseAdapter"]

Message = Mapping[str, Any]
Record = dict[str, Any]

_STREAMED: Final = "response."
"""Events of a streamed response; the last one brings the whole."""
_UNDER_WAY: Final = ("queued", "in_progress")


class OpenAIComputerUseAdapter(ModelApiAdapterBase):
    """Reads logs of OpenAI models using a computer.

    A log holds responses and input items in one JSON file or a line each; records that wrap them
    are opened (`request` and `response`). Items between two of the user's make one turn.

    Args:
        other_tools: Function calls become steps too. Without it they stand in the model I/O
            records only.
    """

    name: ClassVar[str] = "openai"

    def __init__(self, *, other_tools: bool = False) -> None:
        self.other_tools = other_tools

    def load_messages(self, input_path: Path) -> tuple[Iterable[Message], dict[str, Any]]:
        """Read a log as messages: responses (`output`), and what the user sent (`content`)."""
        return open_log(input_path, _messages)

    def iter_tool_calls(
        self, messages: Iterable[Message]
    ) -> Iterator[tuple[int, int, dict[str, Any]]]:
        """The computer actions of a run: `type` and parameters as the API has them."""
        for turn_index, message in enumerate(messages):
            for call_index, call in enumerate(self._calls(message)):
                yield turn_index, call_index, call.action

    def read_message(self, message: Message) -> LoggedMessage:
        """Text, time, screenshots, results and safety checks of a message."""
        items = _items(message)
        return dataclasses.replace(
            read_message(message),
            call_ids=tuple(call.call_id for call in self._calls(message)),
            pictures=tuple(_pictures(items)),
            results=tuple(_result(i) for i in items if i.get("type") == "computer_call_output"),
            notes=tuple(_safety_checks(items)),
        )

    def _calls(self, message: Message) -> list[ToolCall]:
        return [call for item in objects_in(message.get("output")) for call in self._of_item(item)]

    def _of_item(self, item: dict[str, Any]) -> list[ToolCall]:
        call_id = str(item.get("call_id"))
        if item.get("type") == "computer_call":
            actions = objects_in(item.get("actions")) or objects_in([item.get("action")])
            return [ToolCall(call_id, action) for action in actions]
        if item.get("type") == "function_call" and self.other_tools:
            return [ToolCall(call_id, {"type": item.get("name"), "params": _arguments(item)})]
        return []


def _items(message: Message) -> list[dict[str, Any]]:
    return objects_in(message.get("output")) or objects_in(message.get("content"))


def _arguments(item: dict[str, Any]) -> dict[str, Any]:
    import orjson

    raw = item.get("arguments")
    try:
        parsed = orjson.loads(raw) if isinstance(raw, str) else raw
    except orjson.JSONDecodeError:
        return {"arguments": raw}
    return parsed if isinstance(parsed, dict) else {"arguments": parsed}


def _pictures(items: list[dict[str, Any]]) -> Iterator[Picture]:
    for item in items:
        output, call_id = item.get("output"), item.get("call_id")
        if item.get("type") == "computer_call_output" and isinstance(output, dict):
            yield Picture(decode_picture(output.get("image_url")), str(call_id))
        elif item.get("type") == "function_call_output":
            yield from _images_in(output, str(call_id))
        else:
            yield from _images_in([item], None)
            yield from _images_in(item.get("content"), None)


def _images_in(parts: Any, call_id: str | None) -> Iterator[Picture]:
    images = (part for part in objects_in(parts) if part.get("type") == "input_image")
    yield from (Picture(decode_picture(part.get("image_url")), call_id) for part in images)


def _result(item: dict[str, Any]) -> Result:
    failed = item.get("status") in ("failed", "incomplete")
    return Result(str(item.get("call_id")), f"computer call {item['status']}" if failed else None)


def _safety_checks(items: list[dict[str, Any]]) -> Iterator[Note]:
    stages = {"pending_safety_checks": "asked for", "acknowledged_safety_checks": "acknowledged"}
    for item in items:
        for name, stage in stages.items():
            for check in objects_in(item.get(name)):
                summary = f"safety check {stage}: {check.get('code') or check.get('id')}"
                yield Note("info", "model", summary, check, str(item.get("call_id")))


# Records to messages: responses as they are, loose items gathered into turns.


def _messages(records: Iterator[dict[str, Any]], skipped: SkippedRecords) -> Iterator[Record]:
    gathered: list[dict[str, Any]] = []
    for record in records:
        for item in open_envelope(record, _new_inputs):
            if gathered and not (_is_item(item) and _is_models(item) == _is_models(gathered[-1])):
                yield _turn(gathered)
                gathered = []
            if _is_item(item):
                gathered.append(item)
            elif isinstance(item.get("output"), list):
                if item.get("status") not in _UNDER_WAY:
                    yield {"role": "assistant", **item}
            elif isinstance(item.get("input"), list | str):
                gathered.extend(_new_inputs(item))
            elif not str(item.get("type")).startswith(_STREAMED):
                skipped.skip("neither a response nor an item of one")
    if gathered:
        yield _turn(gathered)


def _turn(items: list[dict[str, Any]]) -> dict[str, Any]:
    """One message for loose items; the time is that of the first that has one."""
    if _is_models(items[0]):
        return _timed(items) | {"role": "assistant", "output": items}
    if len(items) == 1 and "role" in items[0]:
        return items[0]
    return _timed(items) | {"role": "user", "content": items}


def _timed(items: list[dict[str, Any]]) -> dict[str, Any]:
    times = (item.get("timestamp", item.get("ts")) for item in items)
    return {"timestamp": next((time for time in times if time is not None), None)}


def _is_item(record: Mapping[str, Any]) -> bool:
    if isinstance(record.get("output"), list) and "call_id" not in record:
        return False
    kind = record.get("type")
    return "role" in record or (isinstance(kind, str) and not kind.startswith(_STREAMED))


def _is_models(item: Mapping[str, Any]) -> bool:
    """Whether an item came from the model."""
    kind = item.get("type")
    if kind is None or kind == "message":
        return item.get("role") == "assistant"
    return str(kind) in {"reasoning", "compaction"} or str(kind).endswith("_call")


def _new_inputs(request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The items of a request after the model's last one: those before were logged before."""
    given = request.get("input")
    if isinstance(given, str):
        yield {"role": "user", "content": given}
    items = objects_in(given)
    answered = [i for i, item in enumerate(items) if _is_models(item)]
    yield from items[answered[-1] + 1 if answered else 0 :]
