"""What the sample programs share: a picture, a step, and where to write. No test code."""

from __future__ import annotations

import hashlib
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

OUT = Path(sys.argv[1])
"""The folder of the bundles; the server, if any, is in AUGUR_DSN."""

STARTED = "2030-01-01T00:00:00Z"


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def picture(seed: int) -> bytes:
    """A screenshot of 64 x 48 pixels, another one for each seed."""
    rows = b"".join(
        b"\0" + bytes((seed * 37 + x * x + y * 5) % 251 for x in range(64)) for y in range(48)
    )
    header = struct.pack(">IIBBBBB", 64, 48, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def step(index: int, status: str = "passed", **fields: Any) -> Any:
    """A step as an agent records it."""
    return {
        "step_id": f"s{index}",
        "step_index": index,
        "step_type": "click",
        "intent": f"click number {index}",
        "status": "succeeded" if status == "passed" else "failed",
        "started_at": STARTED,
        "ended_at": "2030-01-01T00:00:01Z",
        "duration_ms": 1000,
        "action": {
            "type": "click",
            "params": {"x": 10 + index, "y": 20},
            "coordinate_space": "screenshot_px",
        },
        "grounding": {
            "provider": "sample",
            "provenance": "screenshot",
            "target_label": "Cart",
            "confidence": 0.9,
        },
        "verdict": {"status": status, "reason": "as it should be"},
        **fields,
    }


def event(index: int | None, summary: str = "looked around", **fields: Any) -> Any:
    """A decision event."""
    base: dict[str, Any] = {
        "ts": STARTED,
        "layer": "planner",
        "kind": "decision",
        "summary": summary,
    }
    if index is not None:
        base["step_index"] = index
    return {**base, **fields}


def options(name: str, **more: Any) -> dict[str, Any]:
    """The constructor's arguments."""
    return {
        "run_id": f"run_{name}",
        "client_name": "sample",
        "client_version": "1.0",
        "out_dir": OUT / name,
        "capture_mode": "full",
        "debug_session_id": f"dbg_{hashlib.sha256(name.encode()).hexdigest()[:12]}",
        "started_at": STARTED,
        **more,
    }
