"""A Recorder without a session: its entries in a list, its clock a counter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from augur_sdk import CaptureMode
from augur_sdk.entry import Entry, Kind
from augur_sdk.recording.recorder import Recorder
from augur_sdk.recording.state import Settings


class Tray:
    """Where entries go; everything up to `stored` counts as stored."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.stored = 0

    def push(self, entry: Entry) -> None:
        self.entries.append(entry)

    def stored_seq(self) -> int:
        return self.stored

    def store_all(self) -> None:
        self.stored = self.entries[-1].seq

    def bodies(self, kind: Kind) -> list[Any]:
        return [orjson.loads(entry.body) for entry in self.entries if entry.kind is kind]


class Frank:
    """A door that redacts nothing and learns nothing."""

    def text(self, text: str) -> str:
        return text

    def learn(self, step: Mapping[str, Any]) -> bool:
        return bool(step.get("sensitive"))


def recorder(tray: Tray, **options: Any) -> Recorder:
    """An open Recorder that puts its entries on a tray."""
    options = {
        "run_id": "r",
        "debug_session_id": "dbg_test",
        "client": {"name": "c"},
        "capture_mode": CaptureMode.FULL,
        "started_at": "2026-01-01T00:00:00Z",
        "policy_id": "p",
        **options,
    }
    made = Recorder(Settings(**options), tray, lambda: "2026-01-01T00:00:01Z", Frank())
    made.open()
    return made
