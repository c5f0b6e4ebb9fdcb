"""Capture the runs of screenshot-grounded computer-use agents.

Everything documented is importable from here; see the docs for how the parts fit together.
"""

from typing import TYPE_CHECKING, Any

from augur_sdk._version import __version__
from augur_sdk.bundle.recover import RecoveryReport, recover_bundle
from augur_sdk.capture import CaptureMode, resolve_capture_mode
from augur_sdk.errors import RunKilled
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
from augur_sdk.recording.bounds import ORCHESTRATOR_TAG_KEY, ORCHESTRATOR_TAG_VALUE
from augur_sdk.redaction import DEFAULT_POLICY_ID, DefaultRedactionPolicy, RedactionPolicy
from augur_sdk.session.aio import AsyncDebugSession
from augur_sdk.session.blocking import DebugSession
from augur_sdk.session.stats import SessionStats
from augur_sdk.storage import LocalFSStore, S3Store, Store

if TYPE_CHECKING:
    from augur_sdk.adapter import Adapter
    from augur_sdk.adapters import ModelApiAdapterBase

__all__ = [
    "CANONICAL_SCORE_COMPONENTS",
    "DEFAULT_POLICY_ID",
    "ORCHESTRATOR_TAG_KEY",
    "ORCHESTRATOR_TAG_VALUE",
    "SUPPORTED_SCHEMA_RANGE",
    "Action",
    "Adapter",
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
    "ModelApiAdapterBase",
    "Observation",
    "RecoveryDecision",
    "RecoveryReport",
    "RedactionPolicy",
    "ReplayFixture",
    "RunKilled",
    "S3Store",
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

_LATER = {
    "Adapter": "augur_sdk.adapter",
    "ModelApiAdapterBase": "augur_sdk.adapters",
}
"""Names whose modules a session does not need: they are imported at their first use."""


if not TYPE_CHECKING:  # type checkers see the imports above, and report any other name

    def __getattr__(name: str) -> Any:
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(_LATER[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted(__all__)
