"""The bundle's own records: its envelope and its single-file trace."""

from typing import Annotated, Literal, Required

from typing_extensions import TypedDict

from augur_sdk.models.constraints import (
    Count,
    Keywords,
    SchemaVersion,
    SessionId,
    Sha256,
    Timestamp,
    closed,
)
from augur_sdk.models.session import Client, Costs, DebugSession
from augur_sdk.models.step import StepTrace
from augur_sdk.models.vocabulary import CaptureModeName

__all__ = ["BundleManifest", "BundlePaths", "BundleRedaction", "BundleTrace", "ManifestRedaction"]


@closed
class ManifestRedaction(TypedDict, total=False):
    """The redaction policy that the bundle was written under."""

    policy_id: Required[str]
    applied: Annotated[bool, Keywords(default=True)]


@closed
class BundlePaths(TypedDict, total=False):
    """Where things are in the bundle. The layout is fixed, so these are constants."""

    steps: Required[Literal["steps/"]]
    screenshots: Required[Literal["screenshots/"]]
    crops: Literal["crops/"]
    diffs: Literal["diffs/"]
    events: Required[Literal["events/"]]
    logs: Required[Literal["logs/"]]
    replay: Literal["replay/"]
    diagnostics: Literal["diagnostics/"]
    modelio: Literal["modelio/"]
    preferences: Literal["preferences/"]
    side_effects: Literal["side_effects/"]
    outcomes: Literal["outcomes.json"]
    eval_candidates: Literal["eval_candidates.json"]
    schema: Literal["schema/"]
    agent: Literal["AGENT.md"]


@closed
class BundleManifest(TypedDict, total=False):
    """The envelope of a bundle; it is written last, so where it is, the rest is."""

    schema_version: Required[SchemaVersion]
    bundle_format: Required[Literal["augur-bundle"]]
    run_id: Required[str]
    debug_session_id: Required[SessionId]
    client: Required[Client]
    capture_mode: Required[CaptureModeName]
    created_at: Required[Timestamp]
    redaction: ManifestRedaction
    trace: Required[Literal["trace.json"]]
    step_count: Required[Count]
    paths: Required[BundlePaths]
    costs: Costs
    """The same numbers as on the session record."""
    signatures: dict[str, Sha256]
    """For each file of the bundle but this one, the SHA-256 of its bytes."""
    missing: list[str]
    """Screenshots that a step refers to and that are absent on purpose."""
    trajectory_fingerprint: str
    """A digest of the run's shape: equal shapes have equal digests."""


@closed
class BundleTrace(TypedDict):
    """The whole run in one file: the session, and its canonical steps in order."""

    session: DebugSession
    steps: list[StepTrace]


BundleRedaction = ManifestRedaction
"""The published name."""
