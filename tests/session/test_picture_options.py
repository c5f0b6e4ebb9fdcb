from __future__ import annotations

from pathlib import Path

import pytest
from scenarios import png, read_json, step

from augur_sdk import DebugSession
from augur_sdk.fingerprint import cua_v2
from augur_sdk.validation import validate_bundle


@pytest.mark.parametrize("wanted", [True, False])
def test_perceptual_hashes_can_be_left_to_the_readers(tmp_path: Path, wanted: bool) -> None:
    with DebugSession(
        run_id="r",
        client_name="c",
        out_dir=tmp_path,
        capture_mode="full",
        perceptual_hashes=wanted,
    ) as session:
        session.attach_observation(step_index=0, kind="pre", png_bytes=png())
    hashes = read_json(tmp_path / "screenshots/0000_pre.json")["hashes"]
    assert ("phash_64" in hashes) == wanted
    assert [issue.render() for issue in validate_bundle(tmp_path)] == []


def test_the_manifests_fingerprint_is_the_chosen_algorithms(tmp_path: Path) -> None:
    with DebugSession(
        run_id="r", client_name="c", out_dir=tmp_path, capture_mode="full", fingerprint="cua_v2"
    ) as session:
        for index in range(5):
            session.record_step(step(index))
    steps = read_json(tmp_path / "trace.json")["steps"]
    assert read_json(tmp_path / "manifest.json")["trajectory_fingerprint"] == cua_v2(steps)


def test_an_algorithm_that_is_not_there_costs_the_default_and_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with DebugSession(
        run_id="r", client_name="c", out_dir=tmp_path, capture_mode="full", fingerprint="mine"
    ) as session:
        session.record_step(step(0))
    value = read_json(tmp_path / "manifest.json")["trajectory_fingerprint"]
    assert value.startswith("cua_v1:")
    assert "mine" in caplog.text
