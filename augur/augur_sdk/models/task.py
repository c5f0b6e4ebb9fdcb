"""The task that an agent was asked to solve, and its milestones."""

from typing import Any, Required

from typing_extensions import TypedDict

from augur_sdk.models.constraints import Amount, Count, Fraction, Ordinal, closed

__all__ = ["Subgoal", "SubgoalCompletion", "SuccessCondition", "TaskSpec"]


@closed
class SuccessCondition(TypedDict, total=False):
    """A check that decides whether the task was done. Its meaning is the verifier's."""

    kind: Required[str]
    """The check's name, such as `file_exists`."""
    params: dict[str, Any]
    """The check's arguments."""
    description: str


@closed
class Subgoal(TypedDict, total=False):
    """One observable milestone of a task, as declared in its task spec."""

    subgoal_id: Required[str]
    """Unique within the task spec."""
    description: Required[str]
    parent_subgoal_id: str | None
    """The milestone that this one is part of."""
    weight: Amount
    """The milestone's share of the credit; 1 when absent."""


@closed
class SubgoalCompletion(TypedDict, total=False):
    """How far one milestone had come at a step."""

    subgoal_id: Required[str]
    """A milestone that the task spec declares."""
    completion: Required[Fraction]
    """The fraction done; 1 is reached."""
    first_completed_at_step: Count | None
    """The first step at which the fraction was 1."""


@closed
class TaskSpec(TypedDict, total=False):
    """A task: its instruction, budgets, success conditions and milestones."""

    task_spec_id: str
    """Stable across runs of the same task."""
    instruction: Required[str]
    """The instruction as the agent was given it."""
    task_class: str
    """A free-form class, such as `web.search`."""
    max_steps: Ordinal | None
    """The budget in steps."""
    max_duration_s: Ordinal | None
    """The budget in seconds."""
    prohibited_actions: list[str]
    """Actions that the agent must not take."""
    success_conditions: list[SuccessCondition]
    reset_state_id: str | None
    """The environment snapshot that the task starts from."""
    task_seed: int | None
    """The seed of a generated task."""
    env_id: str | None
    """The environment that the task runs in."""
    subgoals: list[Subgoal]
    """The milestones, flat; `parent_subgoal_id` makes the tree."""
