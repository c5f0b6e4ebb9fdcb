"""One model call: its whole input and output."""

from typing import Any, Required

from typing_extensions import TypedDict

from augur_sdk.models.constraints import Count, SchemaVersion, Timestamp, closed, extensible
from augur_sdk.models.vocabulary import ModelIOLayer

__all__ = [
    "ModelIO",
    "ModelMessage",
    "ModelRequest",
    "ModelResponse",
    "TokenAlternative",
    "TokenLogprob",
    "TokenUsage",
]


@extensible
class ModelMessage(TypedDict, total=False):
    """One message of the conversation, in the vendor's own shape."""

    role: Required[str]
    content: Any


@closed
class ModelRequest(TypedDict, total=False):
    """What the model was asked."""

    model: Required[str]
    system: str | None
    messages: list[ModelMessage]
    tools: list[dict[str, Any]]
    params: dict[str, Any]
    """Sampling parameters, in the vendor's own names."""


@closed
class TokenUsage(TypedDict, total=False):
    """How many tokens a call took."""

    prompt_tokens: Count
    completion_tokens: Count
    cache_hit_tokens: Count
    cache_creation_tokens: Count


@closed
class TokenAlternative(TypedDict, total=False):
    """A token that the model might have chosen."""

    token: str
    token_id: int | None
    logprob: Required[float]


@closed
class TokenLogprob(TypedDict, total=False):
    """The log probability of a token that the model chose."""

    token: str
    token_id: int | None
    logprob: Required[float]
    top_alternatives: list[TokenAlternative]


@closed
class ModelResponse(TypedDict, total=False):
    """What the model answered."""

    text: str | None
    tool_calls: list[dict[str, Any]]
    stop_reason: str
    usage: TokenUsage
    logprobs: list[TokenLogprob] | None
    """Absent when they were not asked for; empty when the vendor gave none."""


@closed
class ModelIO(TypedDict, total=False):
    """One model call."""

    schema_version: Required[SchemaVersion]
    step_index: Count | None
    """The step that made the call; null or absent for the whole run."""
    layer: Required[ModelIOLayer]
    ts: Required[Timestamp]
    request: Required[ModelRequest]
    response: Required[ModelResponse]
    prompt_hash: str
    """Identifies the call: a repeat of the same hash is the same call."""
    redaction_applied: bool
    duration_ms: Count
