"""Capture the runs of screenshot-grounded computer-use agents.

Everything documented is importable from here; see the docs for how the parts fit together.
"""

from augur_sdk._version import __version__
from augur_sdk.bundle.recover import RecoveryReport, recover_bundle
from augur_sdk.capture import CaptureMode, resolve_capture_mode
from augur_sdk.models import (
    CANONICAL_SCORE_COMPONENTS,
    SUPPORTED_SCHEMA_RANGE,
    Action,
    BranchContext,
    BundleManifest,
    BundleTrace,
    CapturedVersions,
    DebugSessionRecord,
    DecisionEvent,
    DiagnosticFinding,
    EnvFingerprint,
    Grounding,
    JudgeDecision,
    Observation,
    RecoveryDecision,
    ReplayFixture,
    ScoreComponents,
    SideEffect,
    StepTrace,
    Subgoal,
    SubgoalCompletion,
    SuccessCondition,
    TaskSpec,
    Verdict,
)
from augur_sdk.redaction import DEFAULT_POLICY_ID, DefaultRedactionPolicy, RedactionPolicy
from augur_sdk.session.aio import AsyncDebugSession
from augur_sdk.session.blocking import DebugSession
from augur_sdk.session.stats import SessionStats
from augur_sdk.storage import LocalFSStore, Store

__all__ = [
    "CANONICAL_SCORE_COMPONENTS",
    "DEFAULT_POLICY_ID",
    "SUPPORTED_SCHEMA_RANGE",
    "Action",
    "AsyncDebugSession",
    "BranchContext",
    "BundleManifest",
    "BundleTrace",
    "CaptureMode",
    "CapturedVersions",
    "DebugSession",
    "DebugSessionRecord",
    "DecisionEvent",
    "DefaultRedactionPolicy",
    "DiagnosticFinding",
    "EnvFingerprint",
    "Grounding",
    "JudgeDecision",
    "LocalFSStore",
    "Observation",
    "RecoveryDecision",
    "RecoveryReport",
    "RedactionPolicy",
    "ReplayFixture",
    "ScoreComponents",
    "SessionStats",
    "SideEffect",
    "StepTrace",
    "Store",
    "Subgoal",
    "SubgoalCompletion",
    "SuccessCondition",
    "TaskSpec",
    "Verdict",
    "__version__",
    "recover_bundle",
    "resolve_capture_mode",
]
