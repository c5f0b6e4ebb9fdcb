"""`augur diff` as a user or a CI job calls it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from augur_sdk.cli.app import run as augur

Run = Callable[..., Path]
FAILED = {"verdict": {"status": "failed"}, "status": "failed"}


def test_equal_runs_exit_with_0(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert augur(["diff", str(run("a")), str(run("b"))]) == 0
    assert "The same trajectory, 6 steps" in capsys.readouterr().out


def test_runs_that_differ_exit_with_1_and_say_where(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "diff.html"
    assert augur(["diff", str(run("a")), str(run("b", pay=FAILED)), "--html", str(page)]) == 1
    printed = capsys.readouterr().out
    assert "First divergence: " in printed
    assert "1 new, 0 promoted, 0 resolved" in printed
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_json_is_for_programs(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert augur(["diff", str(run("a")), str(run("b", pay=FAILED)), "--json"]) == 1
    record = json.loads(capsys.readouterr().out)
    assert record["divergence"]["row"] == 4
    assert len(record["findings"]["new"]) == 1


def test_an_unknown_pack_is_wrong_usage(run: Run) -> None:
    assert augur(["diff", str(run("a")), str(run("b")), "--rules", "nope"]) == 2
