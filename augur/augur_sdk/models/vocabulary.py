"""The closed choices of the format, and the open vocabularies that have well-known words."""

from typing import Annotated, Final, Literal, get_args

from augur_sdk.models.constraints import Keywords

__all__ = [
    "CANONICAL_SCORE_COMPONENTS",
    "CAPTURE_MODES",
    "COORDINATE_SPACES",
    "DECISION_KINDS",
    "DECISION_LAYERS",
    "KNOWN_FAILURE_CLASSES",
    "MODEL_IO_LAYERS",
    "MUTATED_AXES",
    "PROVENANCES",
    "RECOVERY_TYPES",
    "RUN_STATUSES",
    "SCHEMA_VERSION",
    "SEVERITIES",
    "STEP_STATUSES",
    "SUPPORTED_SCHEMA_RANGE",
    "VERDICT_STATUSES",
    "CaptureModeName",
    "Comparator",
    "CoordinateSpace",
    "DecisionKind",
    "DecisionLayer",
    "EvidenceType",
    "FailureClass",
    "JudgeType",
    "MediaType",
    "ModelIOLayer",
    "MutatedAxis",
    "OutcomeScope",
    "PreferenceComparator",
    "Provenance",
    "ReasoningFormat",
    "RecoveryType",
    "ReplayMode",
    "Reversibility",
    "RunStatus",
    "ScoreComponents",
    "Severity",
    "SideEffectProvenance",
    "SideEffectStatus",
    "StepStatus",
    "TrajectoryComparator",
    "TrajectoryVerdict",
    "VerdictStatus",
]

SCHEMA_VERSION: Final = "0.1"
"""The version of the record format that this package writes."""

SUPPORTED_SCHEMA_RANGE: Final[tuple[str, str]] = ("0.1", "0.1")
"""The lowest and the highest version that this package reads, both included."""

CaptureModeName = Literal[
    "off",
    "metadata",
    "trace",
    "screenshots",
    "video",
    "model_io",
    "dispatch",
    "replay",
    "full",
]
CoordinateSpace = Literal["viewport_css_px", "device_px", "screenshot_px", "dom_client_rect"]
Provenance = Literal["screenshot", "dom", "human_override", "replay_candidate", "diagnostic"]

RunStatus = Literal["running", "succeeded", "failed", "cancelled", "halted"]
StepStatus = Literal["pending", "running", "succeeded", "failed", "skipped", "recovered"]
VerdictStatus = Literal["passed", "failed", "recoverable", "skipped", "unknown"]
RecoveryType = Literal[
    "retry",
    "alternate_grounding",
    "skip",
    "halt",
    "replan",
    "human_handoff",
    "none",
]

DecisionLayer = Literal[
    "planner",
    "grounding",
    "model",
    "dispatch",
    "verifier",
    "step_recovery",
    "routing",
    "runner",
    "adapter",
]
DecisionKind = Literal["decision", "observation", "error", "info", "metric"]
ReasoningFormat = Literal[
    "adapter_inferred", "claude_extended_thinking", "openai_reasoning_summary"
]
ModelIOLayer = Literal["planner", "grounding", "model", "verifier", "step_recovery", "judge"]
MediaType = Literal["image/png", "image/jpeg", "image/webp"]

Comparator = Literal["verifier", "model-judge", "exact-match", "human"]
PreferenceComparator = Literal["verifier", "model-judge", "human-rater", "replay-diff"]
TrajectoryComparator = Literal["human", "model-judge", "verifier-derived"]
TrajectoryVerdict = Literal["a_better", "b_better", "tie"]
JudgeType = Literal["rule", "model", "human", "hybrid"]

MutatedAxis = Literal["model", "prompt", "action", "grounder", "tool_description"]
ReplayMode = Literal[
    "observation_replay",
    "handler_replay",
    "model_replay",
    "sandbox_replay",
    "shadow_replay",
]
OutcomeScope = Literal["step", "session"]

Reversibility = Literal["irreversible", "reversible", "compensated"]
SideEffectProvenance = Literal["sdk_declared", "adapter_inferred", "human_declared"]
SideEffectStatus = Literal["intent_only", "committed", "aborted"]

Severity = Literal["info", "low", "medium", "high", "critical"]
EvidenceType = Literal["log", "step", "event", "screenshot", "diff", "crop", "trace"]

KNOWN_FAILURE_CLASSES: Final[tuple[str, ...]] = (
    "no_state_change",
    "click_outside_viewport",
    "coordinate_space_mismatch",
    "verifier_disagrees",
    "dispatch_ok_state_fail",
    "invalid_action_schema",
    "missing_observation",
    "infra_failure",
    "model_timeout",
    "som_clicked_container",
    "tab_walk_target_absent",
)
"""Failure classes that every reader knows. Others are welcome; adapters namespace theirs."""

FailureClass = Annotated[str, Keywords(minLength=1, examples=list(KNOWN_FAILURE_CLASSES))]

CAPTURE_MODES: Final[tuple[str, ...]] = get_args(CaptureModeName)
COORDINATE_SPACES: Final[tuple[str, ...]] = get_args(CoordinateSpace)
PROVENANCES: Final[tuple[str, ...]] = get_args(Provenance)
RUN_STATUSES: Final[tuple[str, ...]] = get_args(RunStatus)
STEP_STATUSES: Final[tuple[str, ...]] = get_args(StepStatus)
VERDICT_STATUSES: Final[tuple[str, ...]] = get_args(VerdictStatus)
RECOVERY_TYPES: Final[tuple[str, ...]] = get_args(RecoveryType)
DECISION_LAYERS: Final[tuple[str, ...]] = get_args(DecisionLayer)
DECISION_KINDS: Final[tuple[str, ...]] = get_args(DecisionKind)
MODEL_IO_LAYERS: Final[tuple[str, ...]] = get_args(ModelIOLayer)
MUTATED_AXES: Final[tuple[str, ...]] = get_args(MutatedAxis)
SEVERITIES: Final[tuple[str, ...]] = get_args(Severity)


class ScoreComponents:
    """The canonical keys of `verdict.score_components`, each a number from 0 to 1.

    Other keys are welcome beside them.
    """

    PROGRESS: Final = "progress"
    """How much of the task is done at this step."""
    ACTION_QUALITY: Final = "action_quality"
    """Whether the action was sensible for this observation alone."""
    PROCESS_QUALITY: Final = "process_quality"
    """How well the step fits the whole trajectory."""
    SAFETY_RISK: Final = "safety_risk"
    """0 is safe, 1 is catastrophic."""
    LOOPINESS: Final = "loopiness"
    """1 repeats a state that the run was in before."""
    VERIFIER_CONFIDENCE: Final = "verifier_confidence"
    """How sure the verifier was."""
    GROUNDING_ACCURACY: Final = "grounding_accuracy"
    """Whether the action hit what the intent named."""


CANONICAL_SCORE_COMPONENTS: Final = frozenset(
    {
        ScoreComponents.PROGRESS,
        ScoreComponents.ACTION_QUALITY,
        ScoreComponents.PROCESS_QUALITY,
        ScoreComponents.SAFETY_RISK,
        ScoreComponents.LOOPINESS,
        ScoreComponents.VERIFIER_CONFIDENCE,
        ScoreComponents.GROUNDING_ACCURACY,
    }
)
"""Every constant of `ScoreComponents`."""
