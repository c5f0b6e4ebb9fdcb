"""What the benchmarks record: usual steps, events, and screenshots of a real size.

Standard library only: the same file runs in the environment of each implementation.
"""

from __future__ import annotations

import random
import struct
import zlib
from functools import cache
from typing import Any

WIDTH, HEIGHT = 1280, 800
NOISY_ROWS = 78
"""Rows of noise in a screenshot: 78 of 3,840 bytes that no compression shortens are 300 KB."""

PROSE = "the agent scrolled down to find more information about this product in the shop "
NO_SPACES = "a"


def step(number: int) -> dict[str, Any]:
    """A step as a computer-use agent records it: about 1.2 KB of JSON."""
    return {
        "step_id": f"s-{number:06d}",
        "step_index": number,
        "intent": f"Open the billing page and download invoice {number}",
        "step_type": "click",
        "status": "succeeded",
        "started_at": "2026-01-01T00:00:00Z",
        "ended_at": "2026-01-01T00:00:01Z",
        "duration_ms": 812,
        "costs": {"total_usd": 0.0123, "tokens_in": 1200, "tokens_out": 88, "cache_hit_tokens": 9},
        "latency": {"planner_ms": 100, "grounding_ms": 50, "dispatch_ms": 20, "total_ms": 812},
        "captured_versions": {"model": "a-model-4", "prompt": "v12", "prompt_hash": "9f86d0" * 10},
        "action": {
            "type": "click",
            "params": {"x": 120, "y": 333, "button": "left"},
            "coordinate_space": "viewport_css_px",
            "dispatch_backend": "playwright",
        },
        "grounding": {
            "provider": "som",
            "target_label": "Download invoice",
            "coordinates": {"x": 120.5, "y": 333.0},
            "confidence": 0.93,
            "provenance": "screenshot",
        },
        "verdict": {"status": "passed", "reason": "the invoice was downloaded", "score": 1.0},
    }


def event(number: int) -> dict[str, Any]:
    """A planner's decision about that step."""
    return {
        "ts": "2026-01-01T00:00:00Z",
        "step_index": number,
        "layer": "planner",
        "kind": "decision",
        "summary": f"the invoice of month {number % 12} is behind the third link",
        "detail": {"candidates": 3, "chosen": "Download invoice"},
    }


def text(shape: str, size: int) -> str:
    """`size` characters of a shape, over and over."""
    return (shape * (size // len(shape) + 1))[:size]


def picture(number: int) -> bytes:
    """A PNG of 1280x800 and 300 KB; no two numbers give the same pixels. Takes about 1 ms."""
    noise = random.Random(number).randbytes(NOISY_ROWS * WIDTH * 3)  # noqa: S311 - no secret
    lines = b"".join(b"\0" + noise[at : at + WIDTH * 3] for at in range(0, len(noise), WIDTH * 3))
    flat, checksum = _flat_part()
    stored = zlib.compressobj(0, zlib.DEFLATED, -15)
    body = stored.compress(lines) + stored.flush()
    adler = struct.pack(">I", zlib.adler32(lines, checksum))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    data = _chunk(b"IDAT", b"\x78\x01" + flat + body + adler)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + data + _chunk(b"IEND", b"")


@cache
def _flat_part() -> tuple[bytes, int]:
    rows = b"".join(
        b"\0" + bytes((row // 8 % 256, 200, 220)) * WIDTH for row in range(HEIGHT - NOISY_ROWS)
    )
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(rows) + packer.flush(zlib.Z_FULL_FLUSH), zlib.adler32(rows)


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + checksum
