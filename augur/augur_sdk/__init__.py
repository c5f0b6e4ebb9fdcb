"""Capture the runs of screenshot-grounded computer-use agents.

Everything documented is importable from here; see the docs for how the parts fit together.
"""

from typing import TYPE_CHECKING, Final

from augur_sdk._later import later
from augur_sdk._version import __version__

if TYPE_CHECKING:
    from augur_sdk.adapter import Adapter
    from augur_sdk.adapters import ModelApiAdapterBase
    from augur_sdk.bundle.recover import RecoveryReport, recover_bundle
    from augur_sdk.capture import CaptureMode, resolve_capture_mode
    from augur_sdk.diagnostics import BundleContext, Rule, RuleResult, RulesEngine, load_pack, rule
    from augur_sdk.errors import RunKilled
    from augur_sdk.intervention import InterventionChannel, InterventionCommand
    from augur_sdk.models import (
        CANONICAL_SCORE_COMPONENTS,
        SUPPORTED_SCHEMA_RANGE,
        Action,
        BranchContext,
        BundleManifest,
        BundleTrace,
        CapturedVersions,
        CoordinateSpace,
        DebugSessionRecord,
        DecisionEvent,
        DecisionKind,
        DecisionLayer,
        DiagnosticFinding,
        EnvFingerprint,
        Grounding,
        JudgeDecision,
        Observation,
        Provenance,
        RecoveryDecision,
        RecoveryType,
        ReplayFixture,
        RunStatus,
        ScoreComponents,
        SideEffect,
        StepStatus,
        StepTrace,
        Subgoal,
        SubgoalCompletion,
        SuccessCondition,
        TaskSpec,
        Verdict,
        VerdictStatus,
    )
    from augur_sdk.recording.bounds import ORCHESTRATOR_TAG_KEY, ORCHESTRATOR_TAG_VALUE
    from augur_sdk.redaction import DEFAULT_POLICY_ID, DefaultRedactionPolicy, RedactionPolicy
    from augur_sdk.session.aio import AsyncDebugSession
    from augur_sdk.session.blocking import DebugSession
    from augur_sdk.session.stats import SessionStats
    from augur_sdk.storage import LocalFSStore, S3Store, Store
    from augur_sdk.streaming import DSN, StreamingSink
    from augur_sdk.validation import ValidationIssue, validate_bundle

__all__ = [
    "CANONICAL_SCORE_COMPONENTS",
    "DEFAULT_POLICY_ID",
    "DSN",
    "ORCHESTRATOR_TAG_KEY",
    "ORCHESTRATOR_TAG_VALUE",
    "SUPPORTED_SCHEMA_RANGE",
    "Action",
    "Adapter",
    "AsyncDebugSession",
    "BranchContext",
    "BundleContext",
    "BundleManifest",
    "BundleTrace",
    "CaptureMode",
    "CapturedVersions",
    "CoordinateSpace",
    "DebugSession",
    "DebugSessionRecord",
    "DecisionEvent",
    "DecisionKind",
    "DecisionLayer",
    "DefaultRedactionPolicy",
    "DiagnosticFinding",
    "EnvFingerprint",
    "Grounding",
    "InterventionChannel",
    "InterventionCommand",
    "JudgeDecision",
    "LocalFSStore",
    "ModelApiAdapterBase",
    "Observation",
    "Provenance",
    "RecoveryDecision",
    "RecoveryReport",
    "RecoveryType",
    "RedactionPolicy",
    "ReplayFixture",
    "Rule",
    "RuleResult",
    "RulesEngine",
    "RunKilled",
    "RunStatus",
    "S3Store",
    "ScoreComponents",
    "SessionStats",
    "SideEffect",
    "StepStatus",
    "StepTrace",
    "Store",
    "StreamingSink",
    "Subgoal",
    "SubgoalCompletion",
    "SuccessCondition",
    "TaskSpec",
    "ValidationIssue",
    "Verdict",
    "VerdictStatus",
    "__version__",
    "load_pack",
    "recover_bundle",
    "resolve_capture_mode",
    "rule",
    "validate_bundle",
]

_LATER: Final = {
    "DecisionKind": "augur_sdk.models",
    "DecisionLayer": "augur_sdk.models",
    "RecoveryType": "augur_sdk.models",
    "RunStatus": "augur_sdk.models",
    "VerdictStatus": "augur_sdk.models",
    "StepStatus": "augur_sdk.models",
    "Provenance": "augur_sdk.models",
    "CoordinateSpace": "augur_sdk.models",
    "InterventionCommand": "augur_sdk.intervention",
    "InterventionChannel": "augur_sdk.intervention",
    "StreamingSink": "augur_sdk.streaming",
    "DSN": "augur_sdk.streaming",
    "load_pack": "augur_sdk.diagnostics",
    "RulesEngine": "augur_sdk.diagnostics",
    "rule": "augur_sdk.diagnostics",
    "Rule": "augur_sdk.diagnostics",
    "RuleResult": "augur_sdk.diagnostics",
    "BundleContext": "augur_sdk.diagnostics",
    "ValidationIssue": "augur_sdk.validation",
    "validate_bundle": "augur_sdk.validation",
    "Action": "augur_sdk.models",
    "Adapter": "augur_sdk.adapter",
    "AsyncDebugSession": "augur_sdk.session.aio",
    "BranchContext": "augur_sdk.models",
    "BundleManifest": "augur_sdk.models",
    "BundleTrace": "augur_sdk.models",
    "CANONICAL_SCORE_COMPONENTS": "augur_sdk.models",
    "CaptureMode": "augur_sdk.capture",
    "CapturedVersions": "augur_sdk.models",
    "DEFAULT_POLICY_ID": "augur_sdk.redaction",
    "DebugSession": "augur_sdk.session.blocking",
    "DebugSessionRecord": "augur_sdk.models",
    "DecisionEvent": "augur_sdk.models",
    "DefaultRedactionPolicy": "augur_sdk.redaction",
    "DiagnosticFinding": "augur_sdk.models",
    "EnvFingerprint": "augur_sdk.models",
    "Grounding": "augur_sdk.models",
    "JudgeDecision": "augur_sdk.models",
    "LocalFSStore": "augur_sdk.storage",
    "ModelApiAdapterBase": "augur_sdk.adapters",
    "ORCHESTRATOR_TAG_KEY": "augur_sdk.recording.bounds",
    "ORCHESTRATOR_TAG_VALUE": "augur_sdk.recording.bounds",
    "Observation": "augur_sdk.models",
    "RecoveryDecision": "augur_sdk.models",
    "RecoveryReport": "augur_sdk.bundle.recover",
    "RedactionPolicy": "augur_sdk.redaction",
    "ReplayFixture": "augur_sdk.models",
    "RunKilled": "augur_sdk.errors",
    "S3Store": "augur_sdk.storage",
    "SUPPORTED_SCHEMA_RANGE": "augur_sdk.models",
    "ScoreComponents": "augur_sdk.models",
    "SessionStats": "augur_sdk.session.stats",
    "SideEffect": "augur_sdk.models",
    "StepTrace": "augur_sdk.models",
    "Store": "augur_sdk.storage",
    "Subgoal": "augur_sdk.models",
    "SubgoalCompletion": "augur_sdk.models",
    "SuccessCondition": "augur_sdk.models",
    "TaskSpec": "augur_sdk.models",
    "Verdict": "augur_sdk.models",
    "recover_bundle": "augur_sdk.bundle.recover",
    "resolve_capture_mode": "augur_sdk.capture",
}
"""The modules are imported at the first use of a name: a program that records needs few of them."""

if not TYPE_CHECKING:  # type checkers see the imports above, and report any other name
    __getattr__, _ = later(__name__, _LATER)


def __dir__() -> list[str]:
    return sorted(__all__)
