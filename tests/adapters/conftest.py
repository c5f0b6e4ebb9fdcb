"""Real message logs, built with the vendors' own types."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from anthropic.types import Message, MessageParam, TextBlock, ThinkingBlock, ToolUseBlock, Usage
from openai.types.responses import (
    Response,
    ResponseComputerToolCall,
    ResponseInputItemParam,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseReasoningItem,
    ResponseUsage,
)
from openai.types.responses.computer_action import ComputerAction
from PIL import Image


@pytest.fixture
def picture() -> Callable[[int], bytes]:
    """Screenshots that differ by their number."""

    def draw(number: int, size: tuple[int, int] = (64, 48)) -> bytes:
        image = Image.new("RGB", size, (number * 37 % 256, number * 91 % 256, 120))
        image.paste((255, 255, 255), (number % 40, 4, number % 40 + 8, 20))
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        return buffer.getvalue()

    return draw


@pytest.fixture
def write_json(tmp_path: Path) -> Callable[..., Path]:
    """Writes a log as one JSON document."""

    def write(messages: Iterable[Any], *, name: str = "run.json", **metadata: Any) -> Path:
        path = tmp_path / name
        path.write_text(json.dumps({"messages": [*messages], "metadata": metadata}))
        return path

    return write


@pytest.fixture
def write_lines(tmp_path: Path) -> Callable[..., Path]:
    """Writes a log with a record a line; strings go in as they are."""

    def write(records: Iterable[Any], name: str = "run.jsonl") -> Path:
        path = tmp_path / name
        lines = (r if isinstance(r, str) else json.dumps(r) for r in records)
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    return write


class AnthropicLog:
    """Messages of the Messages API, as its SDK makes and takes them."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def user(self, text: str) -> None:
        self._add({"role": "user", "content": [{"type": "text", "text": text}]})

    def response(
        self,
        *calls: tuple[str, dict[str, object]],
        text: str = "",
        thinking: str = "",
        toolset: bool = False,
        usage: Usage | None = None,
        **extra: Any,
    ) -> Message:
        content: list[Any] = []
        if thinking:
            content.append(ThinkingBlock(type="thinking", thinking=thinking, signature="s"))
        if text:
            content.append(TextBlock(type="text", text=text))
        for call_id, given in calls:
            name = str(given["action"]) if toolset else "computer"
            inside = {k: v for k, v in given.items() if k != "action"} if toolset else given
            content.append(
                ToolUseBlock(
                    id=call_id,
                    name=name,
                    input=inside,
                    type="tool_use",
                    toolset_name="computer" if toolset else None,
                )
            )
        message = Message(
            id=f"msg_{len(self.messages)}",
            role="assistant",
            type="message",
            model="claude-opus-4-5",
            content=content,
            stop_reason="tool_use" if calls else "end_turn",
            usage=usage or Usage(input_tokens=100, output_tokens=20),
        )
        self.messages.append(message.model_dump(mode="json") | extra)
        return message

    def result(
        self, call_id: str, picture: bytes | None = None, *, error: str | None = None
    ) -> None:
        self.results((call_id, picture), error=error)

    def results(self, *answers: tuple[str, bytes | None], error: str | None = None) -> None:
        blocks: list[Any] = []
        for call_id, picture in answers:
            content: list[Any] = []
            if error:
                content.append({"type": "text", "text": error})
            if picture is not None:
                data = base64.b64encode(picture).decode()
                source = {"type": "base64", "media_type": "image/png", "data": data}
                content.append({"type": "image", "source": source})
            block = {"type": "tool_result", "tool_use_id": call_id, "content": content}
            blocks.append(block | ({"is_error": True} if error else {}))
        self._add({"role": "user", "content": blocks})

    def _add(self, message: MessageParam) -> None:
        self.messages.append(dict(message))


class OpenAILog:
    """Responses and input items of the Responses API, as its SDK makes and takes them."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def user(self, text: str, picture: bytes | None = None) -> None:
        content: list[Any] = [{"type": "input_text", "text": text}]
        if picture is not None:
            content.append({"type": "input_image", "image_url": data_url(picture)})
        self._add({"role": "user", "content": content})

    def response(
        self,
        *actions: ComputerAction,
        call_id: str = "call_0",
        text: str = "",
        summary: str = "",
        usage: ResponseUsage | None = None,
        created_at: float = 1_760_000_000.0,
        checks: list[Any] | None = None,
    ) -> Response:
        output: list[Any] = []
        if summary:
            parts: Any = [{"type": "summary_text", "text": summary}]
            output.append(ResponseReasoningItem(id="rs_1", type="reasoning", summary=parts))
        if text:
            spoken = ResponseOutputText(type="output_text", text=text, annotations=[])
            output.append(
                ResponseOutputMessage(
                    id="m_1", type="message", role="assistant", status="completed", content=[spoken]
                )
            )
        if actions:
            output.append(
                ResponseComputerToolCall.model_validate(
                    {
                        "id": f"cu_{call_id}",
                        "type": "computer_call",
                        "call_id": call_id,
                        "status": "completed",
                        "pending_safety_checks": checks or [],
                        "action": actions[0].model_dump() if len(actions) == 1 else None,
                        "actions": [a.model_dump() for a in actions] if len(actions) > 1 else None,
                    }
                )
            )
        response = Response(
            id=f"resp_{len(self.messages)}",
            object="response",
            created_at=created_at,
            model="gpt-5.5",
            output=output,
            parallel_tool_calls=False,
            tool_choice="auto",
            tools=[],
            status="completed",
            usage=usage,
        )
        self.messages.append(response.model_dump(mode="json"))
        return response

    def output(self, call_id: str, picture: bytes | None) -> None:
        url = data_url(picture) if picture is not None else "https://pictures.example/1.png"
        self._add(
            {
                "type": "computer_call_output",
                "call_id": call_id,
                "output": {"type": "computer_screenshot", "image_url": url},
            }
        )

    def _add(self, item: ResponseInputItemParam) -> None:
        self.messages.append(dict(item))


def data_url(picture: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(picture).decode()


@pytest.fixture
def claude() -> AnthropicLog:
    return AnthropicLog()


@pytest.fixture
def gpt() -> OpenAILog:
    return OpenAILog()
