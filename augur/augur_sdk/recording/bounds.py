"""What is left of a record where a capture mode, or a step's sensitivity, bounds what is kept.

Pure functions from a record to a smaller one. Of `metadata`, and of a sensitive step, only the
structure is kept: ids, status, times, type of action, failure class, costs and latency
(docs/concepts/capture-modes.md). Texts that the format requires become `WITHHELD`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from augur_sdk.bundle import layout
from augur_sdk.models import DECISION_KINDS, DECISION_LAYERS
from augur_sdk.recording.costs import COST_FIELDS

__all__ = [
    "ORCHESTRATOR_TAG_KEY",
    "ORCHESTRATOR_TAG_VALUE",
    "WITHHELD",
    "eval_candidate",
    "event",
    "outcome",
    "sensitive_step",
    "session",
    "side_effect",
    "step",
]

WITHHELD: Final = "[withheld]"
"""Stands where the format requires a text that is not kept."""

ORCHESTRATOR_TAG_KEY: Final = "augur.session_type"
ORCHESTRATOR_TAG_VALUE: Final = "orchestrator"
"""The tag of a session that is the parent of a fan-out and has no steps of its own."""

_STEP: Final = (
    "step_id",
    "step_index",
    "step_iterations",
    "step_type",
    "group_id",
    "status",
    "failure_class",
    "capture_mode",
    "started_at",
    "ended_at",
    "duration_ms",
)
_LATENCY: Final = (
    "planner_ms",
    "grounding_ms",
    "dispatch_ms",
    "verifier_ms",
    "recovery_ms",
    "total_ms",
)
_SCORES: Final = ("score", "uncertainty", "should_stop")
_SESSION: Final = (
    "schema_version",
    "debug_session_id",
    "run_id",
    "client",
    "capture_mode",
    "started_at",
    "ended_at",
    "status",
    "costs",
    "task_spec_id",
)
_BRANCH: Final = ("parent_run_id", "branch_point_step_index", "mutated_axis", "branch_id")
_SIDE_EFFECT: Final = (
    "side_effect_id",
    "step_index",
    "step_id",
    "reversibility",
    "provenance",
    "status",
    "declared_at",
    "committed_at",
    "aborted_at",
)


def step(record: Mapping[str, Any]) -> dict[str, Any]:
    """A step's structure."""
    kept = _only(record, _STEP)
    for name, members in (("costs", COST_FIELDS), ("latency", _LATENCY)):
        if name in record:
            kept[name] = _numbers(record[name], members)
    for name, member in (("action", "type"), ("verdict", "status")):
        value = record.get(name)
        if isinstance(value, Mapping) and member in value:
            kept[name] = {member: value[member]}
    if isinstance(record.get("branch_context"), Mapping):
        kept["branch_context"] = _only(record["branch_context"], _BRANCH)
    return kept


def sensitive_step(record: Mapping[str, Any]) -> dict[str, Any]:
    """A sensitive step's structure; besides it whatever is a number, a flag or a known path."""
    kept = step(record)
    verdict = record.get("verdict")
    if isinstance(verdict, Mapping):
        kept["verdict"] = {**kept.get("verdict", {}), **_numbers(verdict, _SCORES)}
    for name in ("required", "loop_detected"):
        if isinstance(record.get(name), bool):
            kept[name] = record[name]
    for kind in ("pre", "post"):
        name = f"observation_{kind}"
        if record.get(name) == layout.screenshot_path(record["step_index"], kind):
            kept[name] = record[name]
    return kept


def session(record: Mapping[str, Any]) -> dict[str, Any]:
    """A session record without anything that describes the task or the environment."""
    kept = _only(record, _SESSION)
    if isinstance(record.get("branch_context"), Mapping):
        kept["branch_context"] = _only(record["branch_context"], _BRANCH)
    tags = record.get("tags", {})
    kept["tags"] = {k: v for k, v in tags.items() if k == ORCHESTRATOR_TAG_KEY}
    return kept


def event(record: Mapping[str, Any]) -> dict[str, Any]:
    """That something was decided at a sensitive step, by which layer and when."""
    layer, kind = record.get("layer"), record.get("kind")
    return {
        "ts": record["ts"],
        "step_index": record["step_index"],
        "layer": layer if layer in DECISION_LAYERS else "runner",
        "kind": kind if kind in DECISION_KINDS else "info",
        "summary": WITHHELD,
    }


def side_effect(record: Mapping[str, Any]) -> dict[str, Any]:
    """That there was an effect, and what became of it."""
    return {**_only(record, _SIDE_EFFECT), "resource": WITHHELD, "action": WITHHELD}


def outcome(record: Mapping[str, Any]) -> dict[str, Any]:
    """An outcome's status and costs."""
    kept = _only(record, ("scope", "step_index", "cost_summary", "finalized_at"))
    verdict = record.get("verdict")
    if isinstance(verdict, Mapping):
        kept["verdict"] = _only(verdict, ("status",))
    return kept


def eval_candidate(record: Mapping[str, Any]) -> dict[str, Any]:
    """That a step was tagged."""
    kept = _only(record, ("step_index", "candidate_cluster_id", "tagged_at"))
    return {**kept, "reason": WITHHELD}


def _only(record: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: record[name] for name in names if name in record}


def _numbers(value: Any, names: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {}
    return {n: value[n] for n in names if isinstance(value.get(n), int | float)}
