"""Preferences: which of several actions, or of two runs, is the better one."""

from typing import Annotated, Required

from typing_extensions import TypedDict

from augur_sdk.models.constraints import Fraction, Keywords, Timestamp, closed
from augur_sdk.models.replay import CapturedAction
from augur_sdk.models.vocabulary import (
    PreferenceComparator,
    TrajectoryComparator,
    TrajectoryVerdict,
)

__all__ = ["Preference", "PreferenceAlternative", "TrajectoryPreference"]


@closed
class PreferenceAlternative(TypedDict, total=False):
    """An action that was not preferred."""

    action: Required[CapturedAction]
    reward_estimate: Fraction
    source_run_id: str


@closed
class Preference(TypedDict, total=False):
    """The better action at a step, and the ones it was preferred to."""

    preference_id: Required[str]
    step_id: Required[str]
    preferred_action: Required[CapturedAction]
    alternatives: Required[Annotated[list[PreferenceAlternative], Keywords(minItems=1)]]
    comparator: PreferenceComparator
    confidence: Fraction
    created_at: Timestamp
    notes: str


@closed
class TrajectoryPreference(TypedDict, total=False):
    """The better one of two runs. Servers write it."""

    preference_id: Required[str]
    preferred_run_id: Required[str]
    rejected_run_id: Required[str]
    verdict: TrajectoryVerdict
    task_spec_id: str | None
    task_class: str | None
    comparator: Required[TrajectoryComparator]
    reviewer_id: str | None
    confidence: Fraction
    selection_strategy: str | None
    notes: str
    created_at: Required[Timestamp]
