from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from both_classes import Open
from scenarios import png, read_json, step

import augur_sdk


def test_an_orchestrator_is_tagged_and_named(session_class: Any, face: Any, bundle: Path) -> None:
    opened = session_class.open_orchestrator("fan", "agent", bundle, "nightly", "acme", {"k": "v"})
    assert opened.is_orchestrator is True
    with face(opened):
        pass
    assert read_json(bundle / "trace.json")["session"]["tags"] == {
        "k": "v",
        "session_name": "nightly",
        "tenant_id": "acme",
        augur_sdk.ORCHESTRATOR_TAG_KEY: augur_sdk.ORCHESTRATOR_TAG_VALUE,
    }
    assert augur_sdk.ORCHESTRATOR_TAG_KEY == "augur.session_type"
    assert augur_sdk.ORCHESTRATOR_TAG_VALUE == "orchestrator"


def test_tags_that_are_given_win_over_the_names(
    session_class: Any, face: Any, bundle: Path
) -> None:
    with face(
        session_class.open_orchestrator(
            run_id="fan",
            client_name="agent",
            out_dir=bundle,
            session_name="nightly",
            tags={"session_name": "given"},
        )
    ):
        pass
    tags = read_json(bundle / "trace.json")["session"]["tags"]
    assert tags["session_name"] == "given"
    assert "tenant_id" not in tags


def test_an_orchestrator_has_no_steps_and_everything_else(
    session_class: Any, face: Any, bundle: Path
) -> None:
    with face(
        session_class.open_orchestrator(
            run_id="fan", client_name="agent", out_dir=bundle, capture_mode="full"
        )
    ) as session:
        with pytest.raises(RuntimeError, match="orchestrator"):
            session.record_step(step(0))
        with pytest.raises(RuntimeError, match="orchestrator"):
            session.record_step_iteration(0, step(0))
        with pytest.raises(RuntimeError, match="orchestrator"):
            session.attach_observation(step_index=0, kind="pre", png_bytes=png())
        session.record_event({"ts": "t", "layer": "runner", "kind": "info", "summary": "s"})
        session.set_costs(total_usd=1.0)
        session.record_modelio({"layer": "planner", "request": {"model": "m"}, "response": {}})
        session.finalize_outcome(verdict={"status": "passed"})
        session.set_status("failed")
    trace = read_json(bundle / "trace.json")
    assert (trace["session"]["status"], trace["steps"]) == ("failed", [])
    assert (bundle / "modelio/run-planner-0.json").exists()
    assert read_json(bundle / "manifest.json")["costs"] == {"total_usd": 1.0}


def test_step_blocks_are_refused_too(tmp_path: Path) -> None:
    session = augur_sdk.DebugSession.open_orchestrator(
        "fan", "agent", tmp_path / "b", capture_mode="full"
    )
    with session, pytest.raises(RuntimeError, match="orchestrator"), session.step("click"):
        pass


def test_a_session_with_the_tag_is_an_orchestrator(open_session: Open) -> None:
    tag = {augur_sdk.ORCHESTRATOR_TAG_KEY: augur_sdk.ORCHESTRATOR_TAG_VALUE}
    assert open_session(tags=tag).is_orchestrator is True
    assert open_session().is_orchestrator is False
