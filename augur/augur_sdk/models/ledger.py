"""The ledger of side effects: what was about to happen, and what came of it."""

from typing import Any, Required

from typing_extensions import TypedDict

from augur_sdk.models.constraints import Count, Timestamp, closed
from augur_sdk.models.vocabulary import Reversibility, SideEffectProvenance, SideEffectStatus

__all__ = ["SideEffect"]


@closed
class SideEffect(TypedDict, total=False):
    """One effect on the outside world, declared before it is dispatched."""

    side_effect_id: Required[str]
    step_index: Required[Count]
    step_id: str
    """The step's id, once the step is recorded."""
    resource: Required[str]
    """What is acted on, such as `orders/42`."""
    action: Required[str]
    """What is done to it, such as `submit`."""
    idempotency_key: str
    reversibility: Reversibility
    compensation_handle: str
    """How the effect can be undone."""
    provenance: SideEffectProvenance
    status: Required[SideEffectStatus]
    declared_at: Timestamp
    committed_at: Timestamp | None
    aborted_at: Timestamp | None
    observed_result: dict[str, Any] | str | float | bool | None
    """What the dispatcher returned."""
    abort_reason: str
