"""Replay branches: a run that starts from another run with one input changed."""

from typing import Any, Required

from typing_extensions import TypedDict

from augur_sdk.models.constraints import Count, closed
from augur_sdk.models.vocabulary import MutatedAxis

__all__ = ["BranchContext"]


@closed
class BranchContext(TypedDict, total=False):
    """Marks a run, or a step, as a replay branch of another run. Production runs have none."""

    parent_run_id: Required[str]
    """The run that was rewound."""
    branch_point_step_index: Required[Count]
    """The first step that was executed anew; the ones before are the parent's."""
    mutated_axis: Required[MutatedAxis]
    """The one input that differs from the parent."""
    mutation: dict[str, Any]
    """What it was changed to; on the session record only."""
    branch_id: str
    """The branch's own id, by convention `<parent_run_id>:branch:<short id>`."""
