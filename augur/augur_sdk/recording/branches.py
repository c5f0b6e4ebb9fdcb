"""Replay branches: their context on the session and on each step, and the parent's prefix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from augur_sdk.errors import RecordError
from augur_sdk.models import MUTATED_AXES
from augur_sdk.recording import checks

__all__ = ["branch_context", "slice_of"]

_SLICE: Final = ("parent_run_id", "branch_point_step_index", "mutated_axis", "branch_id")


def branch_context(given: Any) -> dict[str, Any]:
    """Return a branch context that every reader can use.

    Raises:
        RecordError: A required field is missing, or one of them cannot be understood.
    """
    context = checks.mapping(given, "branch_context")
    context["parent_run_id"] = checks.text(context.get("parent_run_id"), "parent_run_id")
    context["branch_point_step_index"] = checks.step_index(
        context.get("branch_point_step_index"), "branch_point_step_index"
    )
    context["mutated_axis"] = checks.choice(
        context.get("mutated_axis"), "mutated_axis", MUTATED_AXES
    )
    if context.get("mutation") is None:
        context.pop("mutation", None)
    elif not isinstance(context["mutation"], Mapping):
        raise RecordError(
            f"mutation is a {type(context['mutation']).__name__}",
            expected="a dict, such as {'model': 'the new one'}",
        )
    if context.get("branch_id") is None:
        context.pop("branch_id", None)
    else:
        context["branch_id"] = checks.string(context["branch_id"], "branch_id")
    return context


def slice_of(context: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The part of a branch context that every step carries: all but the mutation."""
    if context is None:
        return None
    return {name: context[name] for name in _SLICE if name in context}
