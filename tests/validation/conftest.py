"""A bundle with one of everything, as a dict of files that a test damages and then writes."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from augur_sdk.bundle import layout
from augur_sdk.models.schemas import schema_files

LAYOUT = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
PNG = b"\x89PNG\r\n\x1a\n and the rest"
NOON = "2026-01-01T12:00:00Z"


def encoded(path: str, value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if path.endswith(".jsonl"):
        return b"".join(orjson.dumps(line) + b"\n" for line in value)
    return orjson.dumps(value, option=LAYOUT)


def make_step(index: int, **fields: Any) -> dict[str, Any]:
    return {
        "step_id": f"step-{index}",
        "step_index": index,
        "step_type": "click",
        "status": "succeeded",
        "started_at": NOON,
        "ended_at": NOON,
        "duration_ms": 900,
        "intent": "Open the invoice",
        "action": {
            "type": "click",
            "params": {"x": 10, "y": 20.5},
            "coordinate_space": "screenshot_px",
        },
        "grounding": {"provider": "eyes", "provenance": "screenshot", "target_label": "Open"},
        "observation_pre": layout.screenshot_path(index, "pre"),
        "observation_post": layout.screenshot_path(index, "post"),
        "verdict": {"status": "passed", "evidence_refs": [f"events/{index:04d}.jsonl#L1"]},
        "costs": {"total_usd": 0.01, "tokens_in": 900},
        **fields,
    }


def make_observation(index: int, kind: str) -> dict[str, Any]:
    return {
        "artifact": layout.screenshot_path(index, kind),
        "media_type": "image/png",
        "width": 1280,
        "height": 800,
        "coordinate_space": "screenshot_px",
    }


def make_event(index: int | None) -> dict[str, Any]:
    event = {"ts": NOON, "layer": "planner", "kind": "decision", "summary": "Go"}
    return event if index is None else {**event, "step_index": index}


class Files(dict[str, Any]):
    """A bundle's files by path: records, lines of records, or bytes."""

    @property
    def manifest(self) -> dict[str, Any]:
        record: dict[str, Any] = self[layout.MANIFEST]
        return record

    @property
    def trace(self) -> dict[str, Any]:
        record: dict[str, Any] = self[layout.TRACE]
        return record

    def add_step(self, index: int, **fields: Any) -> None:
        step = make_step(index, **fields)
        self.trace["steps"].append(step)
        self[layout.step_path(index)] = step
        self[layout.events_path(index)] = [make_event(index)]
        for kind in ("pre", "post"):
            self[layout.screenshot_path(index, kind)] = PNG
            self[layout.observation_path(index, kind)] = make_observation(index, kind)
        self.manifest["step_count"] = len(self.trace["steps"])

    def sign(self) -> None:
        self.manifest["signatures"] = {
            path: hashlib.sha256(data).hexdigest()
            for path, data in self.stored().items()
            if path != layout.MANIFEST
        }

    def stored(self) -> dict[str, bytes]:
        return {path: encoded(path, value) for path, value in self.items()}

    def write(self, folder: Path) -> Path:
        for path, data in self.stored().items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        return folder


def envelope(**session: Any) -> Files:
    shared = {
        "schema_version": "0.1",
        "run_id": "run_1",
        "debug_session_id": "dbg_0123456789ab",
        "client": {"name": "agent"},
        "capture_mode": "full",
    }
    manifest = {
        **shared,
        "bundle_format": "augur-bundle",
        "created_at": NOON,
        "trace": layout.TRACE,
        "step_count": 0,
        "paths": dict(layout.PATHS),
    }
    record = {**shared, "started_at": NOON, "status": "succeeded", **session}
    return Files({layout.MANIFEST: manifest, layout.TRACE: {"session": record, "steps": []}})


def full_bundle() -> Files:
    """Three steps, the last with two iterations, and one of each other file."""
    files = envelope(costs={"total_usd": 0.5})
    files.manifest["costs"] = {"total_usd": 0.5}
    for index in range(3):
        files.add_step(index)
    _iterate(files, 2)
    _add_records(files)
    files.update({layout.schema_path(name): text for name, text in schema_files().items()})
    files[layout.AGENT] = b"# AGENT\n"
    files.sign()
    return files


def _iterate(files: Files, index: int) -> None:
    canonical = files.pop(layout.step_path(index))
    canonical["step_iterations"] = 2
    again = make_step(index, step_id="step-again")
    for step in (canonical, again):
        files[layout.iteration_path(index, step["step_id"])] = step


def _add_records(files: Files) -> None:
    outcome = {"scope": "session", "finalized_at": NOON, "verdict": {"status": "passed"}}
    candidate = {"step_index": 1, "reason": "flaky", "tagged_at": NOON}
    action = {"type": "click", "vendor": 1}
    files |= {
        layout.events_path(None): [make_event(None), make_event(None)],
        layout.REASONING: [
            {"format": "adapter_inferred", "step_index": 0, "text": "So"},
            {"format": "adapter_inferred", "text": "of the run"},
        ],
        layout.modelio_path(0, "planner", 0): {
            "schema_version": "0.1",
            "layer": "planner",
            "ts": NOON,
            "request": {"model": "m"},
            "response": {"text": "ok", "logprobs": []},
        },
        layout.side_effect_path(0, "fx1"): {
            "side_effect_id": "fx1",
            "step_index": 0,
            "step_id": "step-0",
            "resource": "orders/1",
            "action": "submit",
            "status": "committed",
            "observed_result": {"ok": True},
        },
        layout.OUTCOMES: {"outcomes": [outcome]},
        layout.EVAL_CANDIDATES: {"candidates": [candidate]},
        layout.fixture_path(1): {
            "fixture_id": "f",
            "step_id": "step-1",
            "mode": "observation_replay",
            "observation": layout.screenshot_path(1, "pre"),
            "prior_steps": layout.prior_steps_path(1),
        },
        layout.prior_steps_path(1): [
            {"step_index": 0, "action": action, "verdict": {"status": "passed", "more": 1}}
        ],
        layout.preference_path(1): {
            "preference_id": "p",
            "step_id": "step-1",
            "preferred_action": action,
            "alternatives": [{"action": action}],
        },
        layout.FINDINGS: [
            {
                "rule_id": "cua.no_state_change",
                "severity": "medium",
                "summary": "Nothing happened",
                "evidence": [
                    {"type": "step", "ref": "steps/0001.json"},
                    {"type": "log", "ref": "logs/runner.log#L2-L3"},
                ],
            }
        ],
        "logs/runner.log": b"one\ntwo\nthree\n",
    }


@pytest.fixture
def files() -> Files:
    """A valid, signed bundle with one of everything, not written yet."""
    return full_bundle()


@pytest.fixture
def bare_bundle() -> Callable[..., Files]:
    """Makes a bundle with nothing that the contract leaves optional."""
    return envelope
