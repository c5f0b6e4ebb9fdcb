"""Records and runs that many tests share."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import orjson

STARTED = "2026-01-01T00:00:00Z"


def step(index: int, **fields: Any) -> Any:
    """A step_trace record that keeps its schema."""
    return {
        "step_id": f"s{index}",
        "step_index": index,
        "step_type": "click",
        "status": "succeeded",
        "started_at": STARTED,
        "intent": f"click button {index}",
        "action": {"type": "click", "params": {"x": index, "y": 2}},
        "verdict": {"status": "passed"},
        **fields,
    }


def event(index: int | None, summary: str = "found it", **fields: Any) -> Any:
    """A decision_event record that keeps its schema."""
    where = {} if index is None else {"step_index": index}
    return {
        "ts": STARTED,
        "layer": "grounding",
        "kind": "decision",
        "summary": summary,
        **where,
        **fields,
    }


def png(seed: int = 0, width: int = 64, height: int = 48, padding: int = 0) -> bytes:
    """A real picture, another one for each seed; `padding` adds bytes."""
    row = bytes((seed * 7 + x) % 256 for x in range(width))
    rows = b"".join(b"\0" + bytes((value + y) % 256 for value in row) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    text = b"seed\0" + str(seed).encode() + b"." * padding
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows, 1))
        + chunk(
            b"IDAT", text
        )  # after the pixels' end: no decoder reads it, and no session strips it
        + chunk(b"IEND", b"")
    )


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def read_json(path: Path) -> Any:
    return orjson.loads(path.read_bytes())


def files_of(root: Path) -> dict[str, bytes]:
    """Every file of a folder by its relative path."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
