"""A small bundle written by hand, file by file, as contract/bundle.md lays it out.

For tests of what reads bundles: it writes records that no session would.
"""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import orjson
from PIL import Image, ImageDraw

from augur_sdk.bundle import layout
from augur_sdk.images.probe import observation

Box = tuple[int, int, int, int]
SIZE = (640, 400)


def screen(*boxes: Box, size: tuple[int, int] = SIZE, kind: str = "PNG") -> bytes:
    """A white page with grey boxes at (left, top, right, bottom)."""
    picture = Image.new("RGB", size, "white")
    for number, box in enumerate(boxes):
        shade = 40 + number * 37 % 160
        ImageDraw.Draw(picture).rectangle(box, fill=(shade, shade, 200 - shade))
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def around(x: float, y: float, reach: int = 12) -> Box:
    """A box with its middle at a point."""
    return int(x) - reach, int(y) - reach, int(x) + reach, int(y) + reach


class BundleBuilder:
    """Collects records and writes them; what is not said is what a healthy run has."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.steps: list[dict[str, Any]] = []
        self.missing: list[str] = []
        self.written: dict[str, bytes] = {}

    def click(self, x: float, y: float, **fields: Any) -> dict[str, Any]:
        return self.step("click", {"x": x, "y": y}, **fields)

    def step(self, kind: str = "key", params: Any = None, **fields: Any) -> dict[str, Any]:
        index = len(self.steps)
        step = {
            "step_id": f"s{index}",
            "step_index": index,
            "step_type": kind,
            "status": "succeeded",
            "started_at": f"2024-01-01T00:00:{index % 60:02d}Z",
            "action": {"type": kind, "params": params or {}},
            "verdict": {"status": "unknown"},
        } | fields
        self.steps.append({key: value for key, value in step.items() if value is not ...})
        return self.steps[-1]

    def pre(self, picture: bytes, **facts: Any) -> str:
        return self._picture("pre", picture, facts)

    def post(self, picture: bytes, **facts: Any) -> str:
        return self._picture("post", picture, facts)

    def _picture(self, kind: str, picture: bytes, facts: dict[str, Any]) -> str:
        """Attach a picture to the newest step."""
        index = self.steps[-1]["step_index"]
        path = layout.screenshot_path(index, kind)
        self.steps[-1][f"observation_{kind}"] = path
        self.file(path, picture)
        record = observation(picture, {"artifact": path, **facts})
        self.json(layout.observation_path(index, kind), record)
        return path

    def event(self, layer: str, summary: str = "said something", **fields: Any) -> None:
        """A decision event of the newest step."""
        index = self.steps[-1]["step_index"]
        event = {"ts": "2024-01-01T00:00:00Z", "layer": layer, "kind": "info", "summary": summary}
        line = orjson.dumps(event | {"step_index": index} | fields) + b"\n"
        path = layout.events_path(index)
        self.file(path, self.written.get(path, b"") + line)

    def json(self, path: str, value: Any) -> None:
        options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
        self.file(path, orjson.dumps(value, option=options))

    def file(self, path: str, data: bytes) -> None:
        self.written[path] = data
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def close(self, *, manifest: bool = True) -> Path:
        for step in self.steps:
            self.json(layout.step_path(step["step_index"]), step)
        client = {"name": "test"}
        session = {"run_id": "r", "client": client, "status": "succeeded", "tags": {"a": '}"{['}}
        self.json(layout.TRACE, {"session": session, "steps": self.steps})
        if manifest:
            signatures = {p: hashlib.sha256(d).hexdigest() for p, d in self.written.items()}
            more = {"missing": self.missing} if self.missing else {}
            self.json(layout.MANIFEST, {"run_id": "r", "signatures": signatures, **more})
        return self.root
