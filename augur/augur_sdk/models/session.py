"""The record of one capture session."""

from typing import Required

from typing_extensions import TypedDict

from augur_sdk.models.branch import BranchContext
from augur_sdk.models.constraints import (
    Amount,
    Count,
    SchemaVersion,
    SessionId,
    Timestamp,
    closed,
)
from augur_sdk.models.task import TaskSpec
from augur_sdk.models.vocabulary import CaptureModeName, RunStatus

__all__ = ["Client", "ClientInfo", "Costs", "DebugSession", "DebugSessionRecord", "LiveEndpoints"]


@closed
class Client(TypedDict, total=False):
    """The agent or framework that produced a run."""

    name: Required[str]
    version: str
    git_sha: str


@closed
class Costs(TypedDict, total=False):
    """What a step or a run has cost, in US dollars and tokens."""

    total_usd: Amount
    model_usd: Amount
    gpu_usd: Amount
    proxy_usd: Amount
    tokens_in: Count
    tokens_out: Count
    cache_hit_tokens: Count


@closed
class LiveEndpoints(TypedDict, total=False):
    """Where a run can be watched while it lasts."""

    status_url: str
    video_url: str
    reasoning_url: str


@closed
class DebugSession(TypedDict, total=False):
    """One run of an agent, as the capture session saw it."""

    schema_version: Required[SchemaVersion]
    debug_session_id: Required[SessionId]
    run_id: Required[str]
    """The agent's own id of the run."""
    client: Required[Client]
    capture_mode: Required[CaptureModeName]
    """How much of the run is kept."""
    started_at: Required[Timestamp]
    ended_at: Timestamp | None
    status: Required[RunStatus]
    artifact_root: str
    """The URI of the folder that holds the bundle."""
    trace_uri: str
    live: LiveEndpoints | None
    tags: dict[str, str]
    """Free-form labels to filter by."""
    costs: Costs
    branch_context: BranchContext | None
    task_spec: TaskSpec | None
    task_spec_id: str | None
    """The task's id, where the spec itself is kept elsewhere."""


DebugSessionRecord = DebugSession
"""The session's record, under the name it has at the top of the package."""

ClientInfo = Client
"""The published name."""
