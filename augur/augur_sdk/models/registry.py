"""The records by name, as contract/records.md heads them."""

from collections.abc import Mapping
from typing import Any, Final

from augur_sdk.models.branch import BranchContext
from augur_sdk.models.bundle import BundleManifest, BundleTrace
from augur_sdk.models.environment import CapturedVersions, EnvFingerprint
from augur_sdk.models.event import DecisionEvent, ReasoningTrace, RunReasoning
from augur_sdk.models.finding import DiagnosticFinding
from augur_sdk.models.judgement import JudgeDecision
from augur_sdk.models.ledger import SideEffect
from augur_sdk.models.modelio import ModelIO
from augur_sdk.models.observation import Observation
from augur_sdk.models.outcome import EvalCandidate, EvalCandidates, OutcomeRecord, Outcomes
from augur_sdk.models.preference import Preference, TrajectoryPreference
from augur_sdk.models.replay import PriorSteps, ReplayFixture
from augur_sdk.models.reward import RewardAggregate
from augur_sdk.models.session import DebugSession
from augur_sdk.models.step import StepTrace
from augur_sdk.models.task import SubgoalCompletion, TaskSpec
from augur_sdk.models.vocabulary import (
    CaptureModeName,
    CoordinateSpace,
    FailureClass,
    Provenance,
)

__all__ = ["DOCUMENTS", "RECORDS", "VOCABULARIES", "shape_of"]

RECORDS: Final[Mapping[str, Any]] = {
    "branch_context": BranchContext,
    "captured_versions": CapturedVersions,
    "debug_session": DebugSession,
    "decision_event": DecisionEvent,
    "diagnostic_finding": DiagnosticFinding,
    "env_fingerprint": EnvFingerprint,
    "eval_candidate": EvalCandidate,
    "judge_decision": JudgeDecision,
    "manifest": BundleManifest,
    "modelio": ModelIO,
    "observation": Observation,
    "outcome_record": OutcomeRecord,
    "preference": Preference,
    "prior_steps": PriorSteps,
    "reasoning_trace": ReasoningTrace,
    "replay_fixture": ReplayFixture,
    "reward_aggregate": RewardAggregate,
    "side_effect": SideEffect,
    "step_trace": StepTrace,
    "subgoal": SubgoalCompletion,
    "task_spec": TaskSpec,
    "trace": BundleTrace,
    "trajectory_preference": TrajectoryPreference,
}
"""Every record that has a published schema."""

VOCABULARIES: Final[Mapping[str, Any]] = {
    "capture_mode": CaptureModeName,
    "coordinate_space": CoordinateSpace,
    "failure_class": FailureClass,
    "provenance": Provenance,
}
"""The choices that have a published schema of their own."""

DOCUMENTS: Final[Mapping[str, Any]] = {
    "eval_candidates": EvalCandidates,
    "findings": list[DiagnosticFinding],
    "outcomes": Outcomes,
    "run_reasoning": RunReasoning,
}
"""What bundle files hold that is no published record by itself."""


def shape_of(record: str) -> Any:
    """Return the type of a record, a vocabulary or a document.

    Raises:
        KeyError: No shape has that name.
    """
    for shapes in (RECORDS, VOCABULARIES, DOCUMENTS):
        if record in shapes:
            return shapes[record]
    raise KeyError(f"no record is called {record!r}; expected one of {', '.join(RECORDS)}")
