"""Task specs, as far as a call can refuse them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from augur_sdk.errors import RecordError
from augur_sdk.recording import checks

__all__ = ["declared_subgoals", "task_spec"]


def task_spec(given: Any) -> dict[str, Any]:
    """Return a task spec that has an instruction, and subgoals that can be told apart.

    Raises:
        RecordError: It has not.
    """
    spec = checks.mapping(given, "the task spec")
    checks.text(spec.get("instruction"), "the task spec's instruction")
    subgoals = spec.get("subgoals")
    if subgoals is None:
        return spec
    if isinstance(subgoals, str | bytes | Mapping) or not hasattr(subgoals, "__iter__"):
        raise RecordError("the task spec's subgoals are no list", expected="a list of dicts")
    spec["subgoals"] = [checks.mapping(subgoal, "a subgoal") for subgoal in subgoals]
    ids = [checks.text(each.get("subgoal_id"), "a subgoal_id") for each in spec["subgoals"]]
    if len(set(ids)) < len(ids):
        raise RecordError(
            "the task spec declares a subgoal_id twice", expected="an id of its own for each"
        )
    return spec


def declared_subgoals(spec: Mapping[str, Any]) -> set[str]:
    """The ids of the subgoals that a task spec declares."""
    return {str(subgoal.get("subgoal_id")) for subgoal in spec.get("subgoals") or ()}
