"""Bundles that sessions wrote: what is found in them, and that they stay valid."""

from __future__ import annotations

from pathlib import Path

import pytest
from handmade import around, screen
from scenarios import step

from augur_sdk import DebugSession
from augur_sdk.demo.run import run_demo
from augur_sdk.diagnostics import diagnose, write_findings
from augur_sdk.validation import validate_bundle


@pytest.mark.slow
def test_the_demos_failing_step_is_explained_with_evidence(tmp_path: Path) -> None:
    root = run_demo(tmp_path / "demo").bundle_dir
    findings = diagnose(root, ["cua", "cua_plus"])
    failed = {finding.get("step_index") for finding in findings}
    assert len(failed) == 1
    (cause,) = [f for f in findings if f["rule_id"] == "cua.no_state_change"]
    assert "the screenshots before and after it are the same" in cause["summary"]
    assert all((root / item["ref"]).is_file() for item in cause["evidence"])
    write_findings(root, findings)
    assert validate_bundle(root) == []


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.25])
def test_the_coordinate_doctor_reads_what_a_session_records(tmp_path: Path, scale: float) -> None:
    with DebugSession(
        run_id="r", client_name="c", out_dir=tmp_path / "b", capture_mode="full"
    ) as session:
        for index in range(6):
            x, y = 80 + 61 * index, 40 + 130 * index % 260
            spot = around(x * scale, y * scale)
            pre = session.attach_observation(step_index=index, kind="pre", png_bytes=screen())
            post = session.attach_observation(step_index=index, kind="post", png_bytes=screen(spot))
            action = {"type": "click", "params": {"x": x, "y": y}}
            session.record_step(
                step(index, action=action, observation_pre=pre, observation_post=post)
            )
    summaries = [finding["summary"] for finding in diagnose(tmp_path / "b", ["cua", "cua_plus"])]
    planted = [] if scale == 1.0 else [f"all clicks land at {scale:.2f}x"]
    assert [summary[:24] for summary in summaries] == planted
