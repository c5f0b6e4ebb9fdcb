"""What a folder is called cannot steer the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from augur_sdk.cli.app import run
from augur_sdk.cli.terminal import harmless, output, print_json

NAME = "run\x1b[31m\x9b2J\u202egnp"


@pytest.mark.parametrize("command", ["show", "validate", "diagnose", "audit", "recover"])
def test_a_hostile_folder_name_is_printed_harmless(
    command: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / NAME
    root.mkdir()
    (root / "manifest.json").write_text('{"run_id": "r", "debug_session_id": "d"}')
    (root / "trace.json").write_text('{"session": {"run_id": "r"}, "steps": []}')
    run([command, str(root)])
    run([command, str(root / "missing")])
    said = "".join(capfd.readouterr())
    assert "run" in said
    assert not set(said) & {"\x1b", "\x9b", "\u202e"}


def test_json_escapes_what_could_steer_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    import orjson

    print_json({"name": NAME})
    raw = capfd.readouterr().out
    assert not set(raw) & {"\x1b", "\x9b", "\u202e"}
    assert orjson.loads(raw) == {"name": NAME}


def test_a_console_replaces_controls_and_keeps_lines(capfd: pytest.CaptureFixture[str]) -> None:
    output().print(f"a{NAME}\nb")
    said = capfd.readouterr().out
    assert harmless("a\x1bb\n") == "a\N{REPLACEMENT CHARACTER}b\n"
    assert "\x9b" not in said
    assert said.endswith("\nb\n")


def test_a_test_of_a_bundle_without_steps_is_refused_in_a_sentence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "trace.json").write_text('{"session": {}, "steps": null}')
    assert run(["export-test", str(tmp_path), "0"]) == 2
    assert "has no step 0" in capfd.readouterr().err
