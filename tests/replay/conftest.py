"""A small bundle to replay from."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image


def click_step(index: int, x: int = 400, y: int = 300) -> dict[str, Any]:
    return {
        "step_id": f"step_{index:04d}",
        "step_index": index,
        "step_type": "click",
        "intent": f"Press button {index}.",
        "status": "succeeded",
        "started_at": "2026-03-01T10:00:00Z",
        "action": {
            "type": "click",
            "params": {"x": x, "y": y},
            "coordinate_space": "screenshot_px",
        },
        "grounding": {
            "provider": "model",
            "provenance": "screenshot",
            "target_label": "Save",
            "coordinates": {"x": x, "y": y},
        },
        "verdict": {"status": "passed", "reason": "the dialog closed"},
        "observation_pre": f"screenshots/{index:04d}_pre.png",
        "captured_versions": {"model": "m-1"},
    }


@pytest.fixture
def step() -> dict[str, Any]:
    return click_step(2)


@pytest.fixture
def steps() -> list[dict[str, Any]]:
    return [click_step(index) for index in range(4)]


@pytest.fixture
def picture_bytes() -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((320, 200), 60).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def bundle(tmp_path: Path, steps: list[dict[str, Any]], picture_bytes: bytes) -> Path:
    root = tmp_path / "run-a"
    (root / "screenshots").mkdir(parents=True)
    for index in range(3):
        (root / f"screenshots/{index:04d}_pre.png").write_bytes(picture_bytes)
    session = {"run_id": "run-a", "task_spec": {"instruction": "Save the file."}}
    (root / "trace.json").write_text(json.dumps({"session": session, "steps": steps}))
    return root
