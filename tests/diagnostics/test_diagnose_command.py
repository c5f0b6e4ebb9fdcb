"""`augur diagnose` as a user or a CI job calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from handmade import BundleBuilder

from augur_sdk.cli.app import run


def failing_run(bundle: BundleBuilder) -> Path:
    bundle.click(5, 5, failure_class="dispatch_ok_state_fail", intent="\x1b[31mred")
    bundle.click(9, 9, status="failed")
    return bundle.close()


def test_findings_are_printed_and_written(
    bundle: BundleBuilder, capsys: pytest.CaptureFixture[str]
) -> None:
    root = failing_run(bundle)
    assert run(["diagnose", str(root)]) == 0
    printed = capsys.readouterr().out
    assert "high     cua.dispatch_ok_state_fail, step 0" in printed
    assert "steps/0000.json" in printed
    assert "2 findings" in printed
    assert len(json.loads((root / "diagnostics/findings.json").read_bytes())) == 2


@pytest.mark.parametrize(("severity", "code"), [("critical", 0), ("high", 1), ("low", 1)])
def test_a_severity_decides_the_exit_code(bundle: BundleBuilder, severity: str, code: int) -> None:
    assert run(["diagnose", str(failing_run(bundle)), "--fail-on", severity]) == code


def test_json_is_for_programs(bundle: BundleBuilder, capsys: pytest.CaptureFixture[str]) -> None:
    root = failing_run(bundle)
    assert run(["diagnose", str(root), "--json", "--rules", "cua,cua_plus", "--no-write"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["rules"] == ["cua", "cua_plus"]
    assert [finding["severity"] for finding in record["findings"]] == ["high", "low"]
    assert not (root / "diagnostics").exists()


@pytest.mark.parametrize("wrong", [["--rules", "nope"], ["--fail-on", "huge"]])
def test_an_unknown_name_is_wrong_usage(bundle: BundleBuilder, wrong: list[str]) -> None:
    assert run(["diagnose", str(failing_run(bundle)), *wrong]) == 2


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    assert run(["diagnose", str(tmp_path)]) == 2
