"""`augur audit`: what today's rules find in a bundle, and never the secret itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

KEY = "AKIAQ3EGRJ7LD2XWPTYV"


def test_a_bundle_of_this_version_is_clean(augur: Any, bundle: Path) -> None:
    said = augur("audit", bundle)
    assert (said.code, said.out, said.err) == (0, f"{bundle}: clean\n", "")
    answer = augur("audit", bundle, "--json").json
    coverage = answer.pop("coverage")
    assert answer == {"bundle": str(bundle), "clean": True, "findings": []}
    assert (coverage["unread_files"], coverage["unread_bytes"]) == (0, 0)


def test_what_could_not_be_looked_into_is_said(augur: Any, bundle: Path) -> None:
    (bundle / "screenshots").mkdir(exist_ok=True)
    (bundle / "screenshots/0000_pre.png").write_bytes(bytes(1000))
    last = augur("audit", bundle).out.splitlines()[-1]
    assert last.startswith("not looked into: 1 of ")
    assert augur("audit", bundle, "--json").json["coverage"]["unread_bytes"] == 1000


def test_a_secret_is_found_by_file_and_place_and_not_shown(augur: Any, bundle: Path) -> None:
    (bundle / "logs").mkdir(exist_ok=True)
    (bundle / "logs/runner.log").write_text(f"all well\nkey {KEY}\n", encoding="utf-8")
    said = augur("audit", bundle)
    assert said.code == 1
    row = next(line for line in said.out.splitlines() if "runner.log" in line)
    assert row.split() == ["logs/runner.log", "line", "2", "aws_key", "1"]
    answer = augur("audit", bundle, "--json")
    assert answer.json["findings"] == [
        {"path": "logs/runner.log", "where": "line 2", "rule": "aws_key", "count": 1}
    ]
    assert KEY not in said.out + answer.out


def test_what_is_no_bundle_ends_with_2(augur: Any, tmp_path: Path) -> None:
    assert augur("audit", tmp_path).code == 2
