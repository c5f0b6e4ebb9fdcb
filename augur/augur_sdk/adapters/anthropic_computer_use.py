"""`AnthropicComputerUseAdapter`: logs of the Messages API with the computer tool.

Both ways of calling it are read: the single tool (`computer_20241022` to `computer_20251124`: a
`tool_use` block named `computer` whose input names the `action`) and the toolset
(`computer_toolset_20260801`: a `tool_use` block of toolset `computer`, named by its action).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from augur_sdk.adapters.envelopes import open_envelope
from augur_sdk.adapters.logged_message import LoggedMessage, Picture, Result, read_message
from augur_sdk.adapters.message_log import SkippedRecords, open_log
from augur_sdk.adapters.model_api import ModelApiAdapterBase
from augur_sdk.adapters.pictures import decode_picture
from augur_sdk.adapters.plain import as_plain, objects_in, text_in
from augur_sdk.adapters.tool_call import ToolCall

__all__ = ["AnthropicComputerUseAdapter"]

COMPUTER: Final = "computer"
"""The name that the API gives to the tool, and to the toolset."""

Message = Mapping[str, Any]
Record = dict[str, Any]


class AnthropicComputerUseAdapter(ModelApiAdapterBase):
    """Reads message logs of Claude using a computer.

    A log holds messages (`role`, `content`) and responses as the API returned them, in one JSON
    file or a line each; records that wrap them are opened (`request` and `response`, `message`).

    Args:
        other_tools: Calls of other tools (a shell, an editor) become steps too. Without it they
            stand in the model I/O records only.
    """

    name: ClassVar[str] = "anthropic"

    def __init__(self, *, other_tools: bool = False) -> None:
        self.other_tools = other_tools

    def load_messages(self, input_path: Path) -> tuple[Iterable[Message], dict[str, Any]]:
        """Read a log, see the class."""
        return open_log(input_path, _messages)

    def iter_tool_calls(
        self, messages: Iterable[Message]
    ) -> Iterator[tuple[int, int, dict[str, Any]]]:
        """The computer actions of a run: `type` is the action's name, `params` its input."""
        for turn_index, message in enumerate(messages):
            for call_index, call in enumerate(self._calls(message)):
                yield turn_index, call_index, call.action

    def read_message(self, message: Message) -> LoggedMessage:
        """Text, time, screenshots and tool results of a message."""
        blocks = objects_in(message.get("content"))
        return dataclasses.replace(
            read_message(message),
            call_ids=tuple(call.call_id for call in self._calls(message)),
            pictures=tuple(_pictures(blocks)),
            results=tuple(_result(b) for b in blocks if b.get("type") == "tool_result"),
        )

    def on_action(self, raw_action: Any, step_index: int) -> dict[str, Any]:
        """An action record from a `tool_use` block, or from the input of one."""
        raw = as_plain(raw_action)
        if isinstance(raw, dict) and raw.get("type") == "tool_use":
            raw = _call(raw).action
        elif isinstance(raw, dict) and "action" in raw:
            raw = _action(raw)
        return super().on_action(raw, step_index)

    def _calls(self, message: Message) -> list[ToolCall]:
        if message.get("role") != "assistant":
            return []
        uses = (b for b in objects_in(message.get("content")) if b.get("type") == "tool_use")
        return [_call(use) for use in uses if self.other_tools or _is_computer(use)]


def _is_computer(use: dict[str, Any]) -> bool:
    return COMPUTER in (use.get("toolset_name"), use.get("name"))


def _call(use: dict[str, Any]) -> ToolCall:
    given = use.get("input")
    params = given if isinstance(given, dict) else {}
    single_tool = use.get("name") == COMPUTER and use.get("toolset_name") is None
    action = _action(params) if single_tool else {"type": use.get("name"), "params": params}
    return ToolCall(str(use.get("id")), action)


def _action(given: dict[str, Any]) -> dict[str, Any]:
    params = {name: value for name, value in given.items() if name != "action"}
    return {"type": given.get("action"), "params": params}


def _pictures(blocks: list[dict[str, Any]]) -> Iterator[Picture]:
    for block in blocks:
        if block.get("type") == "image":
            yield Picture(decode_picture(block.get("source")))
        elif block.get("type") == "tool_result":
            inner = (b for b in objects_in(block.get("content")) if b.get("type") == "image")
            call_id = str(block.get("tool_use_id"))
            yield from (Picture(decode_picture(b.get("source")), call_id) for b in inner)


def _result(block: dict[str, Any]) -> Result:
    failed = block.get("is_error") is True
    error = (text_in(block.get("content")) or "the tool call failed") if failed else None
    return Result(str(block.get("tool_use_id")), error)


def _messages(records: Iterator[dict[str, Any]], skipped: SkippedRecords) -> Iterator[Record]:
    for record in records:
        for message in open_envelope(record, _new_inputs):
            if isinstance(message.get("role"), str) and "content" in message:
                yield message
            else:
                skipped.skip("neither a message nor a response")


def _new_inputs(request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The messages of a request after the model's last one: those before were logged before."""
    messages = objects_in(request.get("messages"))
    answered = [i for i, message in enumerate(messages) if message.get("role") == "assistant"]
    yield from messages[answered[-1] + 1 if answered else 0 :]
