"""`augur import`, as a person runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openai.types.responses.computer_action import Wait
from typer.testing import CliRunner, Result

from augur_sdk.cli.app import build_app


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(build_app(), ["import", *map(str, words)])


@pytest.fixture
def log(gpt: Any, picture: Callable[[int], bytes], write_lines: Callable[..., Path]) -> Path:
    gpt.user("Wait a moment.")
    gpt.response(Wait(type="wait"), call_id="c1")
    gpt.output("c1", picture(1))
    return write_lines(gpt.messages)


def test_a_log_becomes_a_bundle_and_the_counts_are_said(log: Path, tmp_path: Path) -> None:
    result = run("--adapter", "openai", log, tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert result.output.startswith("run run: 1 steps and 1 screenshots from 3 messages")
    assert (tmp_path / "out/manifest.json").is_file()


def test_options_come_through_and_the_answer_can_be_json(log: Path, tmp_path: Path) -> None:
    result = run("--adapter", "openai", log, tmp_path / "out", "--run-id", "mine", "--json")
    report = json.loads(result.output)
    assert (report["run_id"], report["steps"], report["skipped"]) == ("mine", 1, 0)


def test_damaged_lines_are_said_and_set_the_exit_code(log: Path, tmp_path: Path) -> None:
    with log.open("a") as file:
        file.write("{broken\n")
    result = run("--adapter", "openai", log, tmp_path / "out")
    assert result.exit_code == 1
    assert "record 4: not JSON" in result.output


def test_other_tools_are_handed_to_the_adapter(tmp_path: Path) -> None:
    call = {"type": "function_call", "call_id": "f", "name": "goto", "arguments": "{}"}
    log = tmp_path / "log.json"
    log.write_text(json.dumps([{"object": "response", "output": [call]}]))
    result = run("--adapter", "openai", log, tmp_path / "out", "--other-tools", "--json")
    assert json.loads(result.output)["steps"] == 1


@pytest.mark.parametrize(
    ("adapter", "said"), [("nobody", "there is no adapter of that name"), ("", "no adapter")]
)
def test_an_unknown_adapter_is_told(log: Path, tmp_path: Path, adapter: str, said: str) -> None:
    result = run("--adapter", adapter, log, tmp_path / "out")
    assert result.exit_code != 0
    assert said in str(result.exception)
    assert not (tmp_path / "out").exists()
