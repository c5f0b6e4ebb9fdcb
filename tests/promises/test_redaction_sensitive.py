"""Row 22: of a sensitive step, and in capture mode `off`, not one byte is kept or sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scenarios import STARTED, event, files_of, png, read_json, step

from augur_sdk import DebugSession
from augur_sdk.redaction import SecretWarning
from augur_sdk.testing import CaptureServer
from augur_sdk.validation import validate_bundle

CANARY = "Zanzibar7Kumquat"


def session(folder: Path, server: CaptureServer, mode: str = "full") -> DebugSession:
    return DebugSession(
        run_id="r", client_name="c", out_dir=folder, capture_mode=mode, dsn=server.dsn
    )


def everything(s: DebugSession, index: int) -> None:
    """All that can be said of a step, with the canary in each of it, its picture included."""
    s.attach_observation(step_index=index, kind="pre", png_bytes=picture(), title=CANARY)
    s.record_event(event(index, CANARY, detail={"text": CANARY}))
    s.record_modelio({"model": CANARY, "response": {"c": CANARY}}, step_index=index, validate=False)
    s.record_reasoning(index, CANARY)
    s.append_log(f"{CANARY}\n", step_index=index)
    effect = s.declare_side_effect(index, CANARY, CANARY, compensation_handle=CANARY)
    s.commit_side_effect(effect, {"a": CANARY})


def about(s: DebugSession, index: int) -> None:
    """What is said of a step once it stands."""
    s.attach_verifier(index, status="passed", reason=CANARY, expected=CANARY, actual=CANARY)
    s.attach_env_fingerprint(index, url_host=CANARY, extensions=[CANARY])
    s.record_judge_decision(
        index, judge_id="j", judge_type="model", verdict={"status": "passed", "reason": CANARY}
    )
    s.mark_for_eval(index, CANARY)
    s.attach_observation(step_index=index, kind="post", png_bytes=picture())


def picture() -> bytes:
    """A picture with the canary behind its end."""
    return png(3) + CANARY.encode()


def sensitive(index: int, **fields: Any) -> Any:
    action = {"type": "type", "params": {"text": CANARY}}
    return step(index, sensitive=True, intent=CANARY, action=action, error=CANARY, **fields)


def found(root: Path, server: CaptureServer) -> list[str]:
    needle = CANARY.encode()
    files = [name for name, content in files_of(root).items() if needle in content]
    sent = [
        each.raw_path for each in server.requests if needle in each.body or b"\x89PNG" in each.body
    ]
    return files + sent


@pytest.mark.parametrize("order", ["before the step", "after the step"])
def test_nothing_of_a_sensitive_step_is_kept(tmp_path: Path, order: str) -> None:
    """Logs and side effects wait for no step: what came before it is with the operator."""
    root = tmp_path / "b"
    with CaptureServer() as server:
        with session(root, server) as s:
            s.record_step(step(0))
            if order == "before the step":
                everything(s, 1)
            s.record_step(sensitive(1))
            if order == "after the step":
                everything(s, 1)
            about(s, 1)
            s.record_step_iteration(1, sensitive(1, step_id="s1-b"))
            s.flush()
            if order == "after the step":
                # What came earlier waited masked in the journal, and is withdrawn.
                assert found(root, server) == []
        left = ["logs", "side-effects"] if order == "before the step" else []
        assert [name for name in found(root, server) if name.split("/")[-1] not in left] == []
    manifest = read_json(root / "manifest.json")
    assert manifest["step_count"] == 2
    assert "screenshots/0001_pre.png" in manifest["missing"]
    assert read_json(root / "trace.json")["steps"][1]["action"] == {"type": "type"}
    assert validate_bundle(root) == []


def test_what_was_typed_in_a_sensitive_step_is_masked_elsewhere(tmp_path: Path) -> None:
    root = tmp_path / "b"
    with CaptureServer() as server:
        with session(root, server) as s:
            s.record_step(sensitive(0))
            s.record_step(step(1, intent=f"the page echoes {CANARY}"))
            s.record_event(event(1, f"seen: {CANARY}"))
            s.append_log(f"typed {CANARY}\n")
        assert found(root, server) == []
    assert "***REDACTED:secret***" in read_json(root / "trace.json")["steps"][1]["intent"]


def test_a_step_that_became_sensitive_stays_so_when_it_is_recorded_again(tmp_path: Path) -> None:
    root = tmp_path / "b"
    typed = {"type": "type", "params": {"text": CANARY}}
    with CaptureServer() as server:
        with session(root, server) as s:
            s.record_step(step(0, sensitive=True, status="running"))
            s.record_step(step(0, action=typed))
            s.record_step_iteration(0, step(0, step_id="again", action=typed))
            s.record_step(step(1, intent=f"the page echoes {CANARY}"))
        assert found(root, server) == []


def test_what_is_typed_into_a_password_field_is_masked_everywhere(tmp_path: Path) -> None:
    root = tmp_path / "b"
    with CaptureServer() as server:
        with session(root, server) as s, s.step("type", intent=f"type {CANARY}") as block:
            block.action(params={"text": CANARY})
            block.grounding(provider="eye", target_label="Password")
            block.event("planner", "info", f"typed {CANARY}")
        with_events = found(root, server)
    # The intent and the event were handed on before anybody knew; the typed text never was.
    assert read_json(root / "trace.json")["steps"][0]["action"]["params"]["text"] != CANARY
    assert not [name for name in with_events if name.startswith(("trace", "steps"))]


def test_in_mode_off_not_one_byte_is_written_or_sent(tmp_path: Path) -> None:
    root = tmp_path / "b"
    with CaptureServer() as server:
        with session(root, server, "off") as s:
            s.record_step(step(0, intent=CANARY))
            s.record_step(sensitive(1))
            everything(s, 0)
        assert found(root, server) == []
        assert {request.path for request in server.requests} <= {"/heartbeat", "/runs"}
    assert "screenshots/0000_pre.png" not in files_of(root)
    assert read_json(root / "manifest.json")["step_count"] == 0


@pytest.mark.parametrize("value", ["abc", "12345", "aaaaaaaa", "click"])
def test_a_secret_that_cannot_be_told_apart_is_refused_with_a_warning(
    tmp_path: Path, value: str
) -> None:
    s = DebugSession(run_id="r", client_name="c", out_dir=tmp_path / "b")
    with pytest.warns(SecretWarning) as warned:
        assert s.register_secret(value) is False
    assert f"'{value}'" not in str(warned[0].message)


def test_the_report_says_what_was_redacted_by_rule_and_file(tmp_path: Path) -> None:
    root = tmp_path / "b"
    with DebugSession(
        run_id="r", client_name="c", out_dir=root, capture_mode="full", redaction_report=True
    ) as s:
        s.register_secret(CANARY, name="fruit")
        s.record_step(step(0, intent=f"mail bob@shop.example {CANARY}", ended_at=STARTED))
        s.record_event(event(0, CANARY))
    report = read_json(root / "redaction_report.json")
    assert report["files"]["steps/0000.json"] == {"email": 1, "secret.fruit": 1}
    assert report["files"]["events/0000.jsonl"] == {"secret.fruit": 1}
    assert report["rules"] == {"email": 1, "secret.fruit": 2}
    assert report["registered_secrets"] == 1
    assert "redaction_report.json" in read_json(root / "manifest.json")["signatures"]
    assert validate_bundle(root) == []


def test_there_is_no_report_unless_asked_for(tmp_path: Path) -> None:
    with DebugSession(run_id="r", client_name="c", out_dir=tmp_path / "b") as s:
        s.record_step(step(0))
    assert not (tmp_path / "b/redaction_report.json").exists()
