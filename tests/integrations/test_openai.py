"""The real client against a real server on loopback, with and without recording."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
import pytest

from augur_sdk import AsyncDebugSession, DebugSession
from augur_sdk.integrations import openai as recording
from augur_sdk.validation import validate_bundle

openai = pytest.importorskip("openai")

USAGE = {
    "prompt_tokens": 9,
    "completion_tokens": 2,
    "total_tokens": 11,
    "prompt_tokens_details": {"cached_tokens": 4},
}
ANSWER = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "usage": USAGE,
    "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi."}}
    ],
}
RESPONSE = {
    "id": "r1",
    "object": "response",
    "created_at": 1,
    "model": "m",
    "status": "completed",
    "parallel_tool_calls": False,
    "tool_choice": "auto",
    "tools": [],
    "usage": {
        "input_tokens": 7,
        "output_tokens": 3,
        "total_tokens": 10,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    },
    "output": [
        {"type": "computer_call", "id": "i1", "call_id": "k1", "status": "completed",
         "pending_safety_checks": [], "action": {"type": "click", "x": 1, "y": 2, "button": "left"}}
    ],
}  # fmt: skip


def chunk(text: str, stop: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": stop}
    base = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return {**base, "choices": [choice], **more}


class Vendor(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if body["model"] == "broken":
            self.answer(400, b'{"error": {"message": "no"}}', "application/json")
        elif body.get("stream"):
            chunks = [chunk("Hel"), chunk("lo", "stop", usage=USAGE)]
            lines = [f"data: {json.dumps(one)}\n\n" for one in chunks]
            self.answer(200, "".join([*lines, "data: [DONE]\n\n"]).encode(), "text/event-stream")
        else:
            said = RESPONSE if self.path.endswith("/responses") else ANSWER
            self.answer(200, json.dumps(said).encode(), "application/json")

    def answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base's name
        pass


@pytest.fixture
def vendor() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def session_in(folder: Path) -> DebugSession:
    return DebugSession(run_id="r", client_name="c", out_dir=folder, capture_mode="full")


def everything(client: Any) -> list[Any]:
    """What a program sees of each call form."""
    ask: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
    seen = [client.chat.completions.create(**ask).model_dump()]
    seen += [one.model_dump() for one in client.chat.completions.create(**ask, stream=True)]
    seen.append(client.responses.create(model="m", input="Click").model_dump())
    seen.append(client.with_options(timeout=5).chat.completions.create(**ask).model_dump())
    try:
        client.chat.completions.create(**{**ask, "model": "broken"})
    except openai.BadRequestError as error:
        seen.append(str(error))
    return seen


def calls_in(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((folder / "modelio").glob("*.json"))]


def test_a_program_sees_the_same_with_recording_and_each_call_is_in_the_bundle(
    vendor: str, tmp_path: Path
) -> None:
    with openai.OpenAI(base_url=vendor, api_key="k") as client:
        without = everything(client)
        with session_in(tmp_path) as session:
            assert recording.record(client, session) is client
            assert everything(client) == without
    assert validate_bundle(tmp_path) == []
    chat, streamed, response, _, failed = (call["response"] for call in calls_in(tmp_path))
    usage = {"prompt_tokens": 9, "completion_tokens": 2, "cache_hit_tokens": 4}
    assert (chat["text"], chat["usage"]) == ("Hi.", usage)
    assert (streamed["text"], streamed["usage"]) == ("Hello", usage)
    assert response["tool_calls"][0]["action"]["x"] == 1
    assert failed["stop_reason"] == "error: BadRequestError"


@pytest.mark.parametrize("hook", ["begin", "end"])
def test_a_hook_that_raises_changes_nothing_for_the_program(
    vendor: str, tmp_path: Path, hook: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(recording._Calls, hook, fault)
    with openai.OpenAI(base_url=vendor, api_key="k") as client, session_in(tmp_path) as session:
        without = everything(client)
        assert everything(recording.record(client, session)) == without


def test_a_chunk_that_cannot_be_read_reaches_the_program(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording._Streamed, "take", lambda *_: 1 // 0)
    with openai.OpenAI(base_url=vendor, api_key="k") as client, session_in(tmp_path) as session:
        without = everything(client)
        assert everything(recording.record(client, session)) == without


def test_calls_go_on_after_the_session_is_closed(vendor: str, tmp_path: Path) -> None:
    with openai.OpenAI(base_url=vendor, api_key="k") as client:
        with session_in(tmp_path) as session:
            recording.record(client, session)
        assert len(everything(client)) == 6


def test_the_lines_of_the_how_to_page_yield_a_valid_bundle(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page's client is never closed, so the lines run in a process of their own."""
    page = Path(__file__).parents[2] / "docs" / "integrations" / "openai.md"
    lines = page.read_text("utf-8").split("```python")[1].split("```")[0]
    monkeypatch.setenv("OPENAI_BASE_URL", vendor)
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    subprocess.run([sys.executable, "-c", lines], cwd=tmp_path, check=True, timeout=50)
    assert validate_bundle(tmp_path / "r1") == []
    assert [call["request"]["model"] for call in calls_in(tmp_path / "r1")] == ["gpt-5"]


async def ask_async(vendor: str, folder: Path) -> str:
    ask: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
    async with (
        openai.AsyncOpenAI(base_url=vendor, api_key="k") as client,
        AsyncDebugSession(
            run_id="r", client_name="c", out_dir=folder, capture_mode="full"
        ) as session,
    ):
        recording.record(client, session, step=lambda: 3)
        await client.chat.completions.create(**ask)
        stream = await client.chat.completions.create(**ask, stream=True)
        return "".join([one.choices[0].delta.content or "" async for one in stream])


def test_an_async_client_is_recorded_at_the_step_that_asked(vendor: str, tmp_path: Path) -> None:
    assert anyio.run(ask_async, vendor, tmp_path) == "Hello"
    assert [call["step_index"] for call in calls_in(tmp_path)] == [3, 3]
    assert [call["response"]["text"] for call in calls_in(tmp_path)] == ["Hi.", "Hello"]


def test_what_is_no_client_is_refused_with_a_word(tmp_path: Path) -> None:
    with session_in(tmp_path) as session, pytest.raises(TypeError, match="expected an OpenAI"):
        recording.record(object(), session)
