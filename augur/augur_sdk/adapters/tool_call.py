"""An action as a response asks for it, with the id of the call that it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["ToolCall"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One action. Several share a `call_id` where a call holds several."""

    call_id: str
    action: dict[str, Any]
