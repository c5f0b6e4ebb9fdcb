"""What one request asks to be kept: rows with an identity each, and what they say of the run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import orjson

__all__ = ["TERMINAL", "Row", "Write", "run_facts", "step_brief"]

TERMINAL: Final = frozenset({"succeeded", "failed", "skipped", "recovered"})
"""Statuses of a step that `running` never replaces."""


@dataclass(slots=True)
class Row:
    """One record.

    `item` is its identity within its kind; `path` the bundle's file that it is or adds to.
    `once` says that a second one of the same identity is a repeat, and changes nothing.
    """

    kind: str
    item: str
    body: bytes
    path: str = ""
    step_index: int | None = None
    once: bool = False
    canonical: bool = False
    status: str = ""
    brief: str = ""
    sha256: str = ""
    size: int = 0


@dataclass(slots=True)
class Write:
    """Rows for one run that are stored together, and the columns of the run that they change."""

    tenant: str
    run_id: str
    rows: list[Row] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    masked: int = 0

    @property
    def size(self) -> int:
        """Bytes held in memory on behalf of this write."""
        return sum(len(row.body) for row in self.rows) + 512


def run_facts(session: dict[str, Any]) -> dict[str, Any]:
    """The columns of a run that its session record fills."""
    client = session.get("client") or {}
    task = session.get("task_spec") or {}
    tags = session.get("tags") or {}
    facts = {
        "status": session.get("status"),
        "client": client.get("name"),
        "client_version": client.get("version"),
        "capture_mode": session.get("capture_mode"),
        "started_at": session.get("started_at"),
        "ended_at": session.get("ended_at"),
        "instruction": task.get("instruction"),
        "task_class": task.get("task_class") or session.get("task_spec_id"),
        "tags": orjson.dumps(tags).decode() if tags else None,
        "total_usd": (session.get("costs") or {}).get("total_usd"),
    }
    return {name: value for name, value in facts.items() if value is not None}


def step_brief(step: dict[str, Any]) -> str:
    """What lists and the index show of a step, as a JSON array in the order of `BRIEF`."""
    action = step.get("action") or {}
    params = action.get("params") or {}
    point = (step.get("grounding") or {}).get("coordinates") or params
    verdict = step.get("verdict") or {}
    brief = [
        step.get("status", ""),
        verdict.get("status", ""),
        action.get("type", ""),
        _number(point.get("x")),
        _number(point.get("y")),
        step.get("started_at", ""),
        step.get("duration_ms"),
        (step.get("costs") or {}).get("total_usd"),
        step.get("failure_class", ""),
        (step.get("intent") or "")[:200],
        (step.get("captured_versions") or {}).get("model", ""),
    ]
    return orjson.dumps(brief).decode()


def _number(value: object) -> float | int | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
