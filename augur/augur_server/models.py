"""The read API's answers; the OpenAPI document and the viewer's types come from here."""

from typing import Any, Literal

from pydantic import BaseModel, Field

__all__ = [
    "Audited",
    "Command",
    "CommandRequest",
    "Connection",
    "Failure",
    "Login",
    "Me",
    "RunIndex",
    "RunPage",
    "RunSummary",
    "StepPage",
    "Stored",
]


class Failure(BaseModel):
    """Why a request was not done."""

    detail: str


class Stored(BaseModel):
    """A record is committed and synced."""

    status: Literal["stored"] = "stored"


class RunSummary(BaseModel):
    """A run as lists show it."""

    run_id: str
    status: str
    client: str
    client_version: str = ""
    capture_mode: str = ""
    started_at: str = ""
    ended_at: str | None = None
    duration_ms: int | None = None
    model: str = ""
    task_class: str = ""
    instruction: str = ""
    outcome: str = ""
    failure_class: str = ""
    """The class of the first failed step."""
    tags: dict[str, str] = Field(default_factory=dict)
    total_usd: float | None = None
    step_count: int = 0
    last_picture: str | None = None
    """Bundle-relative path of the latest screenshot."""
    complete: bool = False
    """The manifest has arrived: nothing more comes."""
    connected: bool = False
    """Its client was heard of within the last 45 s."""
    masked: int = 0
    """How many secrets the server masked that the client had left."""
    held_by: str | None = None
    """Who holds control of the agent."""
    seq: int = 0
    """The run's latest live event; `Last-Event-ID` to go on from."""


class RunPage(BaseModel):
    """One page of runs."""

    runs: list[RunSummary]
    next: str | None = None
    """Pass as `after` for the next page; null at the end."""


class StepPage(BaseModel):
    """A range of canonical steps, whole (contract/records.md, step_trace)."""

    steps: list[dict[str, Any]]
    total: int


class RunIndex(BaseModel):
    """A run's canonical steps, one array a column, all of the same length and order."""

    seq: int = 0
    step_index: list[int] = Field(default_factory=list)
    status: list[str] = Field(default_factory=list)
    verdict: list[str] = Field(default_factory=list)
    action: list[str] = Field(default_factory=list)
    x: list[float | None] = Field(default_factory=list)
    y: list[float | None] = Field(default_factory=list)
    started_at_ms: list[int | None] = Field(default_factory=list)
    """Milliseconds since 1970, UTC."""
    duration_ms: list[int | None] = Field(default_factory=list)
    cost_usd: list[float | None] = Field(default_factory=list)
    failure_class: list[str] = Field(default_factory=list)
    intent: list[str] = Field(default_factory=list)
    has_pre: list[bool] = Field(default_factory=list)
    has_post: list[bool] = Field(default_factory=list)
    finding: list[str] = Field(default_factory=list)
    """The worst finding's severity; empty without one."""
    iterations: list[int] = Field(default_factory=list)


class Connection(BaseModel):
    """A client that was heard of within the last 60 s."""

    client_id: str
    client_name: str
    client_version: str
    capture_mode: str
    run_id: str
    last_event: str
    last_seen_ms: int


class CommandRequest(BaseModel):
    """What an operator asks of an agent."""

    type: str = Field(min_length=1, max_length=64)
    payload: dict[str, Any] = Field(default_factory=dict)
    idempotency_key: str = Field(default="", max_length=200)


class Command(BaseModel):
    """A command and how far it has come."""

    command_id: str
    type: str
    payload: dict[str, Any]
    operator_id: str
    issued_at: str
    state: Literal["queued", "delivered", "done", "expired"]


class Login(BaseModel):
    """A token that logs a person in: one from the link, or a personal one."""

    token: str = Field(max_length=200)


class Me(BaseModel):
    """Who is logged in."""

    name: str
    tenant: str
    role: Literal["viewer", "operator", "admin"]
    readonly: bool = False
    """Nothing can be changed here: bundles in a folder."""


class Audited(BaseModel):
    """A line of the append-only audit log."""

    at_ms: int
    who: str
    what: str
    run_id: str
    detail: str
