"""`augur validate` and `augur recover`: thin, and with codes that CI can branch on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from augur_sdk.validation import validate_bundle

DIES_IN_MID_RUN = """
import os, sys
from augur_sdk import DebugSession
with DebugSession(run_id="r", client_name="c", out_dir=sys.argv[1], capture_mode="full") as session:
    for _ in range(3):
        with session.step("click") as step:
            step.verdict("passed")
    session.flush()
    os._exit(9)
"""


def killed_run(out_dir: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", DIES_IN_MID_RUN, str(out_dir)], check=False)
    assert ended.returncode == 9


def test_a_valid_bundle_ends_with_0(augur: Any, bundle: Path) -> None:
    said = augur("validate", bundle)
    assert (said.code, said.out, said.err) == (0, f"{bundle}: valid\n", "")
    answer = augur("validate", bundle, "--json").json
    assert answer == {"bundle": str(bundle), "valid": True, "issues": []}


def test_each_issue_is_a_line_and_the_end_is_1(augur: Any, bundle: Path) -> None:
    (bundle / "AGENT.md").write_text("something else", encoding="utf-8")
    expected = [issue.render() for issue in validate_bundle(bundle)]
    said = augur("validate", bundle)
    assert said.code == 1
    assert said.out.splitlines()[:-1] == expected
    answer = augur("validate", bundle, "--json")
    assert answer.code == 1
    assert len(answer.json["issues"]) == len(expected)
    assert answer.json["issues"][0].keys() == {"where", "message", "path"}


def test_an_unfinished_bundle_is_not_valid_until_it_is_recovered(
    augur: Any, tmp_path: Path
) -> None:
    killed_run(tmp_path / "run")
    assert augur("validate", tmp_path / "run").code == 1
    said = augur("recover", tmp_path / "run")
    assert said.code == 0
    assert "3 steps, status halted" in said.out
    assert augur("validate", tmp_path / "run").code == 0
    assert "complete already" in augur("recover", tmp_path / "run").out


def test_recovery_in_json(augur: Any, tmp_path: Path) -> None:
    killed_run(tmp_path / "run")
    report = augur("recover", tmp_path / "run", "--json").json
    assert report["recovered"]
    assert (report["steps"], report["status"], report["damaged"]) == (3, "halted", 0)
    assert not augur("recover", tmp_path / "run", "--json").json["recovered"]


def test_a_damaged_journal_is_recovered_and_ends_with_1(augur: Any, tmp_path: Path) -> None:
    killed_run(tmp_path / "run")
    journal = tmp_path / "run" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[-2] = b"#" * 40 + b"\n"
    journal.write_bytes(b"".join(lines))
    said = augur("recover", tmp_path / "run")
    assert said.code == 1
    assert "damaged" in said.out
    assert augur("validate", tmp_path / "run").code == 0
