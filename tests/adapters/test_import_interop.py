"""Imported bundles hold under this package's validator and under the published schemas."""

from __future__ import annotations

import base64
import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import augur_schema
import pytest
from anthropic.types import Message as ClaudeMessage
from anthropic.types import TextBlock, ThinkingBlock, ToolUseBlock
from anthropic.types import Usage as ClaudeUsage
from openai.types.responses.computer_action import Click, Drag, DragPath, Keypress, Screenshot

from augur_sdk.adapters import AnthropicComputerUseAdapter, OpenAIComputerUseAdapter
from augur_sdk.replay import build_fixture
from augur_sdk.testing import CaptureServer
from augur_sdk.validation import validate_bundle

SCHEMA_OF = {
    "steps": "step_trace",
    "screenshots": "observation",
    "modelio": "modelio",
    "side_effects": "side_effect",
}


def records(bundle: Path) -> Iterator[tuple[str, Any]]:
    """Each record of a bundle with the name of its schema."""
    yield "manifest", json.loads((bundle / "manifest.json").read_text())
    yield "trace", json.loads((bundle / "trace.json").read_text())
    for folder, schema in SCHEMA_OF.items():
        for path in sorted(bundle.glob(f"{folder}/**/*.json")):
            yield schema, json.loads(path.read_text())
    for path in sorted(bundle.glob("events/*.jsonl")):
        schema = "reasoning_trace" if path.stem == "reasoning" else "decision_event"
        yield from ((schema, json.loads(line)) for line in path.read_text().splitlines())


def assert_valid(bundle: Path) -> None:
    assert [issue.render() for issue in validate_bundle(bundle)] == []
    names = set()
    for schema, record in records(bundle):
        augur_schema.validator_for(schema).validate(record)
        names.add(schema)
    assert {"manifest", "trace", "step_trace", "modelio", "decision_event"} <= names


@pytest.fixture
def claude_log(claude: Any, picture: Callable[[int], bytes], write_lines: Any) -> Path:
    claude.user("Save the file.")
    claude.response(("a", {"action": "screenshot"}), thinking="I look first.")
    claude.result("a", picture(1))
    click = {"action": "left_click", "coordinate": [10, 20]}
    claude.response(("b", click), ("c", {"action": "key", "text": "ctrl+s"}), text="Click, save.")
    claude.results(("b", picture(2)), ("c", picture(3)))
    claude.response(("d", {"action": "wait"}))
    claude.result("d", error="the screen is locked")
    claude.response(("e", {"coordinate": [1, 2]}), text="Done.")
    path: Path = write_lines(claude.messages)
    return path


@pytest.fixture
def openai_log(gpt: Any, picture: Callable[[int], bytes], write_json: Any) -> Path:
    check = {"id": "sc", "code": "irrelevant_domain", "message": None}
    gpt.user("Save the file.", picture(0))
    gpt.response(Screenshot(type="screenshot"), call_id="c1", summary="I look first.")
    gpt.output("c1", picture(1))
    gpt.response(
        Click(type="click", button="left", x=3, y=4),
        Drag(type="drag", path=[DragPath(x=1, y=1), DragPath(x=9, y=9)]),
        Keypress(type="keypress", keys=["CTRL", "S"]),
        call_id="c2",
        checks=[check],
    )
    gpt.output("c2", picture(2))
    gpt.response(text="Done.")
    path: Path = write_json(gpt.messages, task="Save the file.")
    return path


@pytest.mark.filterwarnings("ignore::augur_sdk.adapters.ImportLossWarning")
def test_a_claude_log_becomes_a_bundle_that_everybody_accepts(
    claude_log: Path, tmp_path: Path
) -> None:
    bundle = AnthropicComputerUseAdapter().bundle_from_input(claude_log, tmp_path / "out")
    assert_valid(bundle)
    assert json.loads((bundle / "manifest.json").read_text())["step_count"] == 5


def test_an_openai_log_becomes_a_bundle_that_everybody_accepts(
    openai_log: Path, tmp_path: Path
) -> None:
    bundle = OpenAIComputerUseAdapter().bundle_from_input(openai_log, tmp_path / "out")
    assert_valid(bundle)
    assert json.loads((bundle / "manifest.json").read_text())["step_count"] == 4


def test_an_imported_step_can_be_replayed(openai_log: Path, tmp_path: Path) -> None:
    bundle = OpenAIComputerUseAdapter().bundle_from_input(openai_log, tmp_path / "out")
    fixture, prior = build_fixture(bundle, 1)
    assert fixture.get("task") == "Save the file."
    assert [p["step_index"] for p in prior] == [0]
    assert (bundle / fixture["observation"]).is_file()


def test_importing_twice_gives_the_same_files_but_for_the_clock(
    openai_log: Path, tmp_path: Path
) -> None:
    adapter = OpenAIComputerUseAdapter()
    one = adapter.bundle_from_input(openai_log, tmp_path / "one")
    two = adapter.bundle_from_input(openai_log, tmp_path / "two")
    folders = ("steps", "events", "modelio", "screenshots")
    names = [p.relative_to(one) for f in folders for p in sorted((one / f).rglob("*.*"))]
    assert names
    assert all((one / name).read_bytes() == (two / name).read_bytes() for name in names)


def claude_turns(path: Path, turns: int, picture: bytes) -> None:
    """A long log, written without holding it."""
    image = {
        "type": "base64",
        "media_type": "image/png",
        "data": base64.b64encode(picture).decode(),
    }
    with path.open("w") as file:
        for turn in range(turns):
            given: dict[str, object] = {"action": "left_click", "coordinate": [turn % 60, 9]}
            message = ClaudeMessage(
                id=f"m{turn}",
                role="assistant",
                type="message",
                model="claude-opus-4-5",
                stop_reason="tool_use",
                usage=ClaudeUsage(input_tokens=9, output_tokens=9),
                content=[
                    ThinkingBlock(type="thinking", thinking="Again.", signature="s"),
                    TextBlock(type="text", text=f"Turn {turn}."),
                    ToolUseBlock(id=f"t{turn}", name="computer", input=given, type="tool_use"),
                ],
            )
            content = [{"type": "image", "source": image}]
            result = {"type": "tool_result", "tool_use_id": f"t{turn}", "content": content}
            file.write(message.model_dump_json() + "\n")
            file.write(json.dumps({"role": "user", "content": [result]}) + "\n")


@pytest.mark.slow
def test_importing_a_long_log_takes_a_fraction_of_its_size(
    tmp_path: Path, picture: Callable[..., bytes]
) -> None:
    class Plain(AnthropicComputerUseAdapter):
        capture_mode = "trace"

    log = tmp_path / "long.jsonl"
    claude_turns(log, 600, picture(3, (640, 480)) + b"\0" * 120_000)
    tracemalloc.start()
    Plain().bundle_from_input(log, tmp_path / "out")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < log.stat().st_size / 5


def test_an_import_sends_nothing_also_where_a_server_is_set(
    openai_log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with CaptureServer() as server:
        monkeypatch.setenv("AUGUR_DSN", server.dsn)
        bundle = OpenAIComputerUseAdapter().bundle_from_input(openai_log, tmp_path / "out")
        assert not server.requests
    assert not (bundle / "journal.jsonl").exists()
