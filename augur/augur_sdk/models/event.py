"""What is recorded a line at a time: decision events and reasoning."""

from typing import Any, Required

from typing_extensions import TypedDict

from augur_sdk.models.constraints import Count, Timestamp, closed
from augur_sdk.models.vocabulary import DecisionKind, DecisionLayer, ReasoningFormat

__all__ = ["DecisionEvent", "InterventionCommand", "ReasoningTrace", "RunReasoning"]


@closed
class DecisionEvent(TypedDict, total=False):
    """Something that a layer of the agent decided, saw or measured."""

    ts: Required[Timestamp]
    step_index: Count
    """The step it belongs to; absent for the whole run."""
    layer: Required[DecisionLayer]
    kind: Required[DecisionKind]
    summary: Required[str]
    """One line for a person to read."""
    detail: dict[str, Any]
    """The layer's own payload."""


class InterventionCommand(TypedDict, total=False):
    """What an operator says to a run, as it comes off the wire (contract/http.md)."""

    command_id: Required[str]
    type: Required[str]
    issued_at: Required[str]
    operator_id: str | None
    payload: dict[str, Any] | None


class _Reasoning(TypedDict, total=False):
    ts: Timestamp
    text: str
    tokens: Count
    format: Required[ReasoningFormat]
    """Where the text came from."""
    model: str


@closed
class ReasoningTrace(_Reasoning, total=False):
    """A model's explicit reasoning at a step."""

    step_index: Required[Count]


@closed
class RunReasoning(_Reasoning, total=False):
    """A line of `events/reasoning.jsonl`: reasoning of a step, or of the whole run."""

    step_index: Count
