"""The record of one step: what the agent saw, did, and whether it worked."""

from typing import Annotated, Any, Required, TypeAlias

from typing_extensions import TypedDict

from augur_sdk.models.branch import BranchContext
from augur_sdk.models.constraints import (
    ControlKey,
    Count,
    Fraction,
    Keywords,
    Ordinal,
    Timestamp,
    closed,
)
from augur_sdk.models.environment import CapturedVersions, EnvFingerprint
from augur_sdk.models.judgement import JudgeDecision, Verdict
from augur_sdk.models.session import Costs
from augur_sdk.models.task import SubgoalCompletion
from augur_sdk.models.vocabulary import (
    CaptureModeName,
    CoordinateSpace,
    FailureClass,
    Provenance,
    RecoveryType,
    StepStatus,
)

__all__ = [
    "Action",
    "Grounding",
    "GroundingCoords",
    "Latency",
    "Point",
    "RecoveryDecision",
    "StepInput",
    "StepTrace",
]


@closed
class Action(TypedDict, total=False):
    """What the agent did."""

    type: Required[str]
    """Such as `click`, `type`, `key`, `scroll`."""
    params: dict[str, Any]
    """The action's arguments, coordinates among them."""
    coordinate_space: CoordinateSpace
    """The space of every coordinate in `params`."""
    dispatch_backend: str
    """What carried the action out."""


@closed
class Point(TypedDict):
    """A place on the screen, in the coordinate space of the action."""

    x: float
    y: float


@closed
class Grounding(TypedDict, total=False):
    """Where on the screen the target was found, and by whom."""

    provider: Required[str]
    target_label: str
    """What was looked for, such as `Submit button`."""
    coordinates: Point
    confidence: Fraction
    evidence: str
    provenance: Required[Provenance]
    """What the coordinates were derived from."""


@closed
class RecoveryDecision(TypedDict, total=False):
    """What the agent chose to do about a failed step."""

    type: Required[RecoveryType]
    reason: str
    attempt: Ordinal


@closed
class Latency(TypedDict, total=False):
    """Where a step's time went, in milliseconds."""

    planner_ms: Count
    grounding_ms: Count
    dispatch_ms: Count
    verifier_ms: Count
    recovery_ms: Count
    total_ms: Count


@closed
class StepTrace(TypedDict, total=False):
    """One step of a run."""

    step_id: Required[str]
    """Unique within the run."""
    step_index: Required[Count]
    """The step's place in the run, from 0; iterations of a step share it."""
    step_iterations: Ordinal
    """On the canonical step, how many iterations there were; 1 when absent."""
    subgoals_completed: list[SubgoalCompletion]
    loop_detected: bool
    group_id: str
    """Ties together the rollouts of one training batch."""
    intent: str
    """What the agent meant to do, in words."""
    step_type: Required[Annotated[str, Keywords(examples=["click", "type", "scroll", "verify"])]]
    required: Annotated[bool, Keywords(default=True)]
    status: Required[StepStatus]
    failure_class: FailureClass
    capture_mode: CaptureModeName
    """The mode in force at this step, where it is not the run's."""
    started_at: Required[Timestamp]
    ended_at: Timestamp | None
    duration_ms: Count | None
    costs: Costs
    latency: Latency
    captured_versions: CapturedVersions
    env_fingerprint: EnvFingerprint
    branch_context: BranchContext | None
    """The branch that the step belongs to, without its `mutation`."""
    judge_decisions: list[JudgeDecision]
    verdict_source: str
    """Who gave the verdict, as `<judge_type>:<judge_id>`."""
    observation_pre: str | None
    """The bundle-relative path of the screenshot before the action."""
    observation_post: str | None
    """The bundle-relative path of the screenshot after the action."""
    action: Action
    grounding: Grounding
    verdict: Verdict
    recovery_decision: RecoveryDecision | None
    events: list[str]
    """Bundle-relative paths of the step's decision events."""
    logs: list[str]
    """Bundle-relative log references, perhaps with an anchor such as `#L12-L20`."""
    sensitive: ControlKey
    """For `record_step` only: keep this step out of the bundle and off the wire. Never stored."""


StepInput: TypeAlias = StepTrace
"""What `record_step` accepts: a step, perhaps with the control key `sensitive`."""

GroundingCoords = Point
"""The published name."""
