"""What a step can be replayed from."""

from typing import Any, Required, TypeAlias

from typing_extensions import TypedDict

from augur_sdk.models.constraints import Count, Fraction, closed, extensible
from augur_sdk.models.environment import CapturedVersions
from augur_sdk.models.vocabulary import CoordinateSpace, ReplayMode, VerdictStatus

__all__ = [
    "AcceptableRegion",
    "CapturedAction",
    "PriorStep",
    "PriorSteps",
    "PriorVerdict",
    "ReplayExpectation",
    "ReplayExpected",
    "ReplayFixture",
]


@extensible
class CapturedAction(TypedDict, total=False):
    """An action as it was captured, perhaps with keys of its producer's own."""

    type: Required[str]
    params: dict[str, Any]
    coordinate_space: CoordinateSpace
    dispatch_backend: str


@closed
class AcceptableRegion(TypedDict, total=False):
    """A rectangle in which a replayed action may land."""

    x1: Required[float]
    y1: Required[float]
    x2: Required[float]
    y2: Required[float]
    label: str


@closed
class ReplayExpectation(TypedDict, total=False):
    """What a replay is compared with."""

    action_type: str
    acceptable_regions: list[AcceptableRegion]
    verdict_status: VerdictStatus
    captured_action: CapturedAction


@closed
class ReplayFixture(TypedDict, total=False):
    """One step, ready to be replayed."""

    fixture_id: Required[str]
    step_id: Required[str]
    mode: Required[ReplayMode]
    task: str
    observation: Required[str]
    """The bundle-relative path of the picture to decide on."""
    prior_steps: str | None
    """The bundle-relative path of the steps before."""
    expected: ReplayExpectation
    captured_versions: CapturedVersions


@extensible
class PriorVerdict(TypedDict, total=False):
    """The verdict of a step before the one to replay."""

    status: Required[VerdictStatus]
    reason: str
    score: Fraction
    comparator: str
    evidence_refs: list[str]


@closed
class PriorStep(TypedDict, total=False):
    """A step before the one to replay."""

    step_index: Required[Count]
    intent: str | None
    action: Required[CapturedAction]
    verdict: Required[PriorVerdict]


PriorSteps: TypeAlias = list[PriorStep]
"""The steps before a replay fixture's step, in their order."""

ReplayExpected = ReplayExpectation
"""The published name."""
